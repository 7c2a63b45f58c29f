"""Products and contact reasons through the API, and on tickets."""

from helpdesk import ext
from helpdesk.lib.clock import now
from helpdesk.products import create_product
from helpdesk.tickets import reasons
from tests.api.conftest import Program
