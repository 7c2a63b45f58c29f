import time, random, resource
from sqlalchemy import insert
from helpdesk import ext
from helpdesk.clients import duplicates
from helpdesk.clients.models import *
from helpdesk.lib.clock import now
from helpdesk.reports import gaps
from helpdesk.fields import seed_fields, fields_of
from helpdesk.accounts.permissions import viewer_of
FIRST="Олена Оксана Іван Петро Марія Ірина Юрій Андрій Сергій Наталія Olena Ivan Dmytro Julia".split()
LAST=[a+b for a in "Кова Шев Бон Грит Лис Ма Са Ткач Мельни Кравч Олій Поліщ Лит Бой Руд".split() for b in "ленко ченко енко ук ик ець ський вин чук".split()]
def test_bench(cast, request):
    if "postgresql" in request.node.name: return
    import time_machine
    N=60000; rnd=random.Random(1); at=now()
    t=time.perf_counter
    with ext.write() as s:
        seed_fields(s)
        base=10
        s.execute(insert(Client.__table__),[dict(id=base+n,kind="person",name=(nm:=f"{rnd.choice(FIRST)} {rnd.choice(LAST)}"),sort_key="x",tags=[],profile={"residence":rnd.choice(["Київ","Львів","Одеса"])} if n%2 else {},about="",potential=False,relation="client",created_at=at,updated_at=at,version=1) for n in range(N)])
        s.execute(insert(Person.__table__),[dict(id=base+n,client_id=base+n,name="x",sort_key="x",role="",created_at=at) for n in range(N)])
        s.execute(insert(ContactPoint.__table__),[dict(id=base+n,person_id=base+n,kind="email",value=f"a{n}@gmail.com",key=f"a{n}@gmail.com",verified=False,preferred=False,bad=False,soft_bounces=0,created_at=at) for n in range(N)])
    def run(k):
        took=[]
        for _ in range(k):
            a=t()
            with ext.write() as s: n=duplicates.scan(s,at=at)
            took.append(t()-a)
        return took
    a=t(); first=run(20); 
    print("first 1000:", sum(first)/20*1000,"ms a step of 50, max",max(first)*1000)
    from sqlalchemy import update
    from helpdesk.clients.names import name_key
    a=t()
    with ext.session() as s: names=s.execute(select(Client.id,Client.name).where(Client.name_key.is_(None)).offset(1000)).all()
    with ext.write() as s:
        s.connection().exec_driver_sql("update client set name_key=? where id=?",[(name_key(n),i) for i,n in names])
    print("name keys", len(names), t()-a)
    last=run(15)
    print("among 60000:", sum(last)/len(last)*1000,"ms a step, max",max(last)*1000)
    with ext.session() as s:
        print("pairs",duplicates.count_open(s))
        names_=gaps.gap_names(fields_of(s))
        a=t(); print(gaps.client_gaps(s,names_)); print("gaps",(t()-a)*1000,"ms")
        for g in names_:
            a=t(); p=gaps.clients_with_gap(s,g); print(g,len(p.rows),p.before,(t()-a)*1000)
        a=t(); gaps.count_unclassified(s,viewer_of(s,cast.alice)); print((t()-a)*1000)
from sqlalchemy import select
