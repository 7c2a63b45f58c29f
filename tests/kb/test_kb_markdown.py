"""Markdown of articles shows what was meant and nothing dangerous, in time (T26, I14)."""

import re
import time

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.kb.markdown import (
    MAX_BODY,
    MAX_EXCERPT,
    contents,
    linked_keys,
    quoted,
    render,
    with_links,
)
from helpdesk.lib.errors import HelpdeskError
from helpdesk.lib.htmlscan import names

TAGS = names(
    "a blockquote br code em h2 h3 h4 h5 h6 hr img li ol p pre s strong table tbody td th thead tr "
    "ul html head body"
)
ATTRIBUTES = names("href title rel src alt loading start id class")

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='file:///etc/passwd'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](javascript&#58;alert(1))",
    "[x](java&#x0A;script:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:x)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/desk)",
    "[x](\\\\evil.example\\x)",
    "![x](http://evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,AAAA)",
    "![x](file:///etc/passwd)",
    "![x](picture:1/../../desk)",
    "![x](/kb/pictures/1?x=1)",
    "![x](picture:0)",
    "![x](https://evil.example/kb/pictures/1)",
    '![x" onerror="alert(1)](picture:1)',
    '![x](picture:1 "a\\" onerror=\\"alert(1)")',
    '[x](https://e.example "a\\" onmouseover=\\"alert(1)")',
    "[x](https://e.example/\"onmouseover='alert(1)')",
    '[x](article:a" onclick="alert(1)\')',
    "[x](article:../../admin)",
    "<javascript:alert(1)>",
    "<https://e.example/<script>alert(1)</script>>",
    "[x]: javascript:alert(1)\n\n[x]",
    '```"><script>alert(1)</script>\nx\n```',
    "```js onload=alert(1)\n</code></pre><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    '|a|\n|:-" onclick="alert(1)|\n|b|',
    "|<script>|\n|--|\n|<img src=x onerror=alert(1)>|",
    '# x" onclick="alert(1)',
    "# <script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\u202e[x](javascript:alert(1))",
    "[x](https://e.example/\u2028javascript:alert(1))",
    "[a](https://e.example){onclick=alert(1)}",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php system('id') ?>",
    "{{ 7*7 }} {% include '/etc/passwd' %}",
]


def unsafe(html: str) -> list[str]:
    """What a browser would find in it that must not be there."""
    found = []
    for element in html5lib.parse(html, namespaceHTMLElements=False).iter():
        if not isinstance(element.tag, str):
            found.append("comment")
            continue
        if element.tag not in TAGS:
            found.append(element.tag)
        for name, value in element.attrib.items():
            if name not in ATTRIBUTES:
                found.append(f"{element.tag} {name}")
            if name == "href" and not re.match(r"(https?|mailto|tel|article):", value, re.I):
                found.append(f"href {value}")
            if name == "src" and not re.fullmatch(r"/kb/pictures/[1-9]\d*", value):
                found.append(f"src {value}")
            if name == "class" and value not in ("tab", "num"):
                found.append(f"class {value}")
            if name == "id" and not value.startswith("a-"):
                found.append(f"id {value}")
    return found


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_dangerous_comes_out(attack: str) -> None:
    for source in (attack, f"# A\n\n{attack}\n\nB", f"> - {attack}", f"**{attack}**"):
        assert unsafe(render(source).html) == [], source


@given(st.text(alphabet="[]()!<>`*_#|-:\\\"'&;/ \nabjavscript:http0", max_size=200))
@settings(deadline=None, max_examples=300)
def test_no_mix_of_signs_is_dangerous_or_fails(source: str) -> None:
    assert unsafe(render(source).html) == []


@given(st.text(max_size=300))
@settings(deadline=None, max_examples=150)
def test_any_text_is_rendered_and_has_an_excerpt_of_one_line(source: str) -> None:
    made = render(source)
    assert unsafe(made.html) == []
    assert len(made.excerpt) <= MAX_EXCERPT and "\n" not in made.excerpt


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=60))
@settings(deadline=None, max_examples=150)
def test_quoted_text_reads_as_it_was_written(source: str) -> None:
    words = f"a{source}".replace("&", "")
    assert render(quoted(words)).text.split() == quoted_back(words).split()


def quoted_back(words: str) -> str:
    return render(quoted(words)).text


HEAVY = {
    "brackets": "[" * 10_000,
    "pictures": "![" * 10_000,
    "links": "[a](" * 10_000,
    "nested links": "[a" * 9_000 + "](b)" * 9_000,
    "stars": "*a" * 100_000,
    "underscores": "_a_ " * 50_000,
    "strike": "~~a" * 60_000,
    "quotes": ">" * 200_000,
    "lists": "- " * 100_000,
    "deep lists": "".join("  " * min(n, 80) + "- a\n" for n in range(2_000)),
    "backticks": "".join("`" * n + "a" for n in range(1, 600)),
    "tables": "|a" * 90_000 + "\n" + "|-" * 10_000,
    "rows": "|a|b|\n|-|-|\n" + "|x|y|\n" * 30_000,
    "headings": "# a\n" * 50_000,
    "references": "".join(f"[a{n}]: /x\n" for n in range(9_000)),
    "entities": "&#x41;" * 33_000,
    "lines": "a\n" * 100_000,
    "angles": "<a@b" * 50_000,
    "fences": "```\n" * 50_000,
}


@pytest.mark.parametrize("name", HEAVY)
def test_the_largest_body_is_rendered_in_time(name: str) -> None:
    began = time.process_time()
    render(HEAVY[name][:MAX_BODY])
    assert time.process_time() - began < 5


def test_a_body_without_measure_is_refused_and_says_why() -> None:
    for source, limit in (("x" * (MAX_BODY + 1), MAX_BODY), ("[" * 100_000, 10_000)):
        with pytest.raises(HelpdeskError) as error:
            render(source)
        assert error.value.field == "body" and error.value.params["limit"] == limit


def test_headings_begin_below_the_title_and_have_ids_of_their_own() -> None:
    html = render("# One\n\n## Two\n\n# One\n\n#### Ще раз <b>").html
    found = contents(html)
    assert [(h.level, h.id, h.text) for h in found] == [
        (2, "a-one", "One"),
        (3, "a-two", "Two"),
        (2, "a-one--2", "One"),
        (5, "a-ще-раз-b", "Ще раз <b>"),
    ]
    assert contents(render("### Only").html)[0].level == 2


def test_links_to_articles_lead_where_the_reader_finds_them() -> None:
    made = render(
        "[a](article:refund) [b](article:gone) [c](article:refund#a-x) [d](https://e.example)"
    )
    assert made.links == {"refund", "gone"} and linked_keys(made.html) == ["refund", "gone"]
    html = with_links(made.html, {"refund": "/uk/help/hroshi?a=1&b=2"}.get)
    assert html == (
        '<p><a href="/uk/help/hroshi?a=1&amp;b=2">a</a> b '
        '<a href="/uk/help/hroshi?a=1&amp;b=2#a-x">c</a> '
        '<a href="https://e.example" rel="noopener nofollow">d</a></p>\n'
    )


def test_our_pictures_are_shown_and_of_others_the_words() -> None:
    made = render("![A lamp](picture:7) ![Theirs](https://e.example/x.png)")
    assert made.pictures == {7}
    assert made.html == ('<p><img src="/kb/pictures/7" alt="A lamp" loading="lazy"> Theirs</p>\n')


def test_tables_code_and_lists_survive() -> None:
    html = render("|a|b|\n|-|-:|\n|1|2|\n\n```\n<b>\n```\n\n3. x\n").html
    assert '<table class="tab">' in html and '<td class="num">2</td>' in html
    assert "<pre><code>&lt;b&gt;\n</code></pre>" in html and '<ol start="3">' in html


def test_the_excerpt_is_the_first_sentence_of_the_text_not_a_heading() -> None:
    made = render("# Title\n\nThe **money** comes back in three days. Later it is\nlate.")
    assert made.excerpt == "The money comes back in three days."
    assert made.text == "Title\nThe money comes back in three days. Later it is late."
    assert render("# Only a heading").excerpt == "Only a heading"
    assert len(render("word " * 200).excerpt) <= MAX_EXCERPT
