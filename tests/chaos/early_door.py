"""The control of the durability test: an SMTP adapter that says 250 before it commits."""

import asyncio
import socket

from helpdesk.app import create_app
from helpdesk.intake import smtp


async def main() -> None:
    app = create_app()
    bind = app.config["SMTP_BIND"]
    sock = socket.create_server((bind.host, bind.port))
    await smtp.serve(app, sock, asyncio.Event(), early=True)


if __name__ == "__main__":
    asyncio.run(main())
