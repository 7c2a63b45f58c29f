import time, cProfile, pstats
import pytest
from helpdesk import ext
from helpdesk.clients.match import find_or_create
from helpdesk.lib.clock import now
from helpdesk.reactions import react
from helpdesk.tickets.content import Content
from helpdesk.tickets.models import Channel
from helpdesk.tickets.received import open_ticket, add_message
from sqlalchemy import event as sa_event

def make(cast, n, receipt, same=False, base=0):
    with ext.write() as s:
        for i in range(base, base+n):
            who = cast.oksana if same else find_or_create(s, email=f"u{i}@x.example", name=f"U {i}", language="uk", at=now())
            t = open_ticket(s, queue_id=cast.support.id, who=who, subject="Lamp", channel=Channel.EMAIL, language="uk", at=now(), receipt=receipt)
            add_message(s, t, Content(text="hello", message_id=f"{i}@x"), who=who, channel=Channel.EMAIL, at=now(), first=True)

def test_bench(app, cast):
    while react(): pass
    make(cast, 50, True); 
    while react(): pass
    for label, kw, base in (("receipts", dict(receipt=True), 1000), ("none", dict(receipt=False), 2000), ("refused", dict(receipt=True, same=True), 3000)):
        make(cast, 300, base=base, **kw)
        n=0
        counts=[0]
        h=lambda *a: counts.__setitem__(0, counts[0]+1)
        sa_event.listen(ext.db.engine, "before_cursor_execute", h)
        t=time.process_time(); w=time.perf_counter()
        pr=cProfile.Profile() if label=="receipts" else None
        if pr: pr.enable()
        while (k:=react()): n+=k
        if pr: pr.disable(); pstats.Stats(pr).sort_stats("cumtime").print_stats(45)
        print(label, n, "events", "cpu ms/ticket", (time.process_time()-t)/300*1000, "wall", (time.perf_counter()-w)/300*1000, "queries/ticket", counts[0]/300)
        sa_event.remove(ext.db.engine, "before_cursor_execute", h)
