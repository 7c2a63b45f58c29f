"""The start page: who we are and how to write to us."""

from flask import Blueprint, render_template

from helpdesk.web.guard import public, reading
from helpdesk.web.portal.language import keep_choice, speak
from helpdesk.web.portal.link import addresses
from helpdesk.web.site import guest_language

blueprint = Blueprint("portal_home", __name__)
blueprint.after_request(keep_choice)


@blueprint.get("/")
@public
def home() -> str:
    speak(guest_language())
    return render_template("portal/home.html", addresses=addresses(reading()))
