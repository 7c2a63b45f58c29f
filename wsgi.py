"""The WSGI application for servers that want one."""

from helpdesk.app import create_app

app = create_app()
