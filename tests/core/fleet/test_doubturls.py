"""Where people look whether a job in doubt was done: what its own page says counts, then what any page said last."""

from __future__ import annotations

from dispatcher.core.fleet.doubturls import MOST_DOUBT_URLS, DoubtUrls
from dispatcher.core.fleet.worker import Worker


def page(name: str, *types: str, **urls: str) -> Worker:
    return Worker(name, f"b-{name}", name, types or tuple(urls), 1, f"s-{name}", attempts={}, doubt_urls=urls)


def heard(*pages: Worker) -> tuple[DoubtUrls, dict[str, Worker]]:
    workers = {one.id: one for one in pages}
    urls = DoubtUrls(workers)
    for one in pages:
        urls.heard(one)
    return urls, workers


def test_the_page_that_has_had_the_job_says_where_to_look() -> None:
    urls, _ = heard(page("one", label="https://one/"), page("two", label="https://two/"))
    assert (urls.of("label", "one"), urls.of("label", "two")) == ("https://one/", "https://two/")


def test_if_it_has_gone_or_says_nothing_what_any_page_said_last_counts() -> None:
    urls, workers = heard(page("one", label="https://one/"), page("two", label="https://two/"), page("mute", "label"))
    assert urls.of("label", "gone") == urls.of("label", "mute") == urls.of("label", None) == "https://two/"
    workers.clear()
    assert urls.of("label", "one") == "https://two/", "it is known although no page is here"
    assert urls.of("fax", "one") is None


def test_what_a_page_says_of_a_type_that_it_does_not_offer_does_not_count() -> None:
    urls, _ = heard(page("one", "fax", label="https://evil/"))
    assert urls.of("label", None) is None


def test_of_so_many_types_the_ones_that_were_said_last_are_known() -> None:
    many = [page("one", **{f"t{number}": "https://e/"}) for number in range(MOST_DOUBT_URLS)]
    urls, _ = heard(*many, page("two", t0="https://f/"), page("three", new="https://e/"))
    assert [urls.of(name, None) for name in ("t0", "t1", "t2", "new")] == [
        "https://f/",
        None,
        "https://e/",
        "https://e/",
    ]
