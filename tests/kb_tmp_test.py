import time
from datetime import timedelta
from helpdesk import ext
from helpdesk.demo import knowledge
from helpdesk.accounts.models import User
from helpdesk.kb.search import search
from helpdesk.kb.models import *
from helpdesk.lib.clock import now
from sqlalchemy import select, func

def test_load(app, cast):
    with ext.write() as s:
        t=time.time(); knowledge.load(s, now(), {"olena": cast.alice, "maryna": cast.sam}); s.flush(); print("load", time.time()-t)
        print(s.scalar(select(func.count()).select_from(ArticleText)))
    with ext.session() as s:
        t=time.time(); r=search(s, "як повернути гроші", lang="uk"); print(time.time()-t, [h.title for h in r.items[:3]], r.answer)
        t=time.time(); r=search(s, "refund", lang="en"); print(time.time()-t, [h.title for h in r.items[:3]], r.answer)
        print([(m.query,m.times) for m in s.scalars(select(Miss))])
