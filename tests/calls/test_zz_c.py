import random
import pytest
from helpdesk import ext
from sqlalchemy import select
from helpdesk.calls.models import *
from helpdesk.accounts.presence import Presence
from tests.calls.test_reconcile import waiting, the_call, count
from helpdesk.tickets.models import Ticket
@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_x(phone, cast, app, seed):
    chance = random.Random(seed)
    agent = phone.agents[cast.alice].on_duty(cast.alice)
    for kind in ("drop", "duplicate", "reorder", "delay", "rest-lost", "rest-timeout"):
        for match in ("/twilio/status", "/twilio/conference") if "rest" not in kind else ("Calls",):
            if chance.random() < .7: phone.faults.add(kind, match, times=chance.randrange(1,4), seconds=chance.choice([1,7,30]))
    leg = waiting(phone)
    phone.advance(3)
    for _ in range(10):
        if agent.ringing: break
        phone.advance(3)
    if agent.ringing: agent.answer()
    phone.advance(chance.choice([0.5, 3,20]))
    if chance.random() < .5: leg.hang_up()
    else:
        l = agent.legs[0] if agent.legs else leg
        if not l.over: l.hang_up()
        phone.advance(10)
        if not leg.over: leg.hang_up()
    for _ in range(3):
        phone.advance(100, every=20)
        phone.job("reconcile")
    phone.advance(100, every=20)
    from tests.calls.test_reconcile import calls
    for c in calls(): print("CALL", c.id, c.direction, c.from_number, c.to_number, c.provider_id, c.state, c.end_reason, c.started_at, c.task_id, c.facts)
    call = the_call()
    with ext.session() as s:
        p = s.scalars(select(Presence)).all()
        offs = s.scalars(select(Offer)).all()
        print(seed, call.state, call.end_reason, call.over_at, [(x.state, x.call_id, x.paused) for x in p], [(o.outcome) for o in offs], leg.status, [(l.status) for l in agent.legs])
        cmds = [(c.kind, c.state.value, c.attempts, c.last_error) for c in s.scalars(select(CallCommand))]
        legs = [(c.provider_id, c.role.value, c.state.value) for c in s.scalars(select(CallLeg))]
        print(cmds, legs, phone.problems)
    assert call.state == CallState.ENDED and call.over_at, (call.facts)
    assert count(Ticket) == 1
    assert all(x.call_id is None for x in p)
    assert all(o.closed_at for o in offs)
