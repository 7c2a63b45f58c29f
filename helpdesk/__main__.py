"""`python -m helpdesk` is the same as the console script `helpdesk`."""

import sys

from helpdesk.cli import main

sys.exit(main())
