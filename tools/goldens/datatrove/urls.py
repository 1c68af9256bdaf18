"""Writes the decisions of datatrove's URLFilter on a table of addresses: python urls.py GOLDENS"""
import json
import sys
from importlib.metadata import version
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters import URLFilter

LISTS = {
    "domains": ["bad.com", "evil.co.uk", "sub.fine.org", "# not.listed", "blog.github.io", "10.0.0.1", "münchen.de"],
    "urls": ["https://fine.org/one?x=1", "http://fine.org"],
    "banned_words": ["casino", "Hot-Shop", "#none"],
    "soft_banned_words": ["cheap", "loans", "pills"],
    "banned_subwords": ["xpics", "free movies"],
}

URLS = [
    "https://bad.com", "http://www.bad.com/a", "https://a.b.bad.com:8080/x", "https://notbad.com", "https://bad.com.au",
    "https://BAD.com/", "bad.com/page", "//bad.com/page", "https://user:pass@bad.com/", "ftp://bad.com/file", "https://bad.com.",
    "https://evil.co.uk/", "https://www.evil.co.uk/", "https://evil.com/", "https://co.uk/", "https://deep.evil.co.uk?q",
    "https://sub.fine.org/", "https://www.sub.fine.org/", "https://fine.org/", "https://other.fine.org",
    "https://blog.github.io/post", "https://www.blog.github.io/", "https://github.io/", "https://x.github.io",
    "http://10.0.0.1/", "http://10.0.0.2/", "http://[::1]/a", "https://localhost/casino1", "http://localhost/casino",
    "https://münchen.de/", "https://xn--mnchen-3ya.de/", "https://not.listed/",
    "https://fine.org/one?x=1", "https://fine.org/one?x=2", "http://fine.org", "http://fine.org/", "https://fine.org/one?x=1#top",
    "https://fine.org/casino", "https://fine.org/Casino", "https://fine.org/my-casino-page", "https://fine.org/casinos",
    "https://casino.fine.org", "https://fine.org/hotshop", "https://fine.org/Hot-Shop", "https://fine.org/hot-shop", "https://fine.org/none",
    "https://fine.org/cheap", "https://fine.org/cheap-loans", "https://fine.org/cheap/cheap", "https://cheap.org/pills?loans=1",
    "https://fine.org/cheaploans", "https://fine.org/Cheap-loans", "https://fine.org/cheap_loans", "https://fine.org/cheap%20loans",
    "https://fine.org/xpics", "https://fine.org/x-pics", "https://fine.org/XPics2", "https://fine.org/sex/pics", "https://max.org/pics",
    "https://free.org/movies", "https://fine.org/free-movies", "https://fine.org/f-r-e-e-m_ovies", "https://fine.org/freemovie",
    "https://fine.org/ünï/casino", "https://fine.org/caſino", "whale", "https://", "https://bad.com/cheap-loans", "mailto:a@bad.com",
]


def main(goldens: str) -> None:
    step = URLFilter(
        extra_domains=LISTS["domains"],
        extra_urls=LISTS["urls"],
        banned_words=LISTS["banned_words"],
        banned_subwords=LISTS["banned_subwords"],
        soft_banned_words=LISTS["soft_banned_words"],
        use_integrated_lists=False,
    )
    outcomes = []
    for url in URLS:
        kept = step.filter(Document(text="", id="", metadata={"url": url}))
        outcomes.append([url, "" if kept is True else kept[1]])
    golden = {
        "source": "datatrove",
        "version": version("datatrove"),
        "tldextract": version("tldextract"),
        "script": "tools/goldens/datatrove/urls.py",
        "lists": LISTS,
        "outcomes": outcomes,
    }
    Path(goldens, "urls.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")


main(*sys.argv[1:])
