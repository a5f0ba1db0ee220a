"""What offices hand in: each fault that was met, the tests that see it, and the answer as a user sees it.

``offices_read`` has what people read; ``offices_asked`` says which row answers which part of what was asked for.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["HANDED_IN", "Met"]


class Met(NamedTuple):
    """A fault that users of this or of a comparable system have met."""

    what: str
    answer: str
    #: ``file::test`` under tests/.
    tests: tuple[str, ...]


HANDED_IN = (
    Met(
        "an old library on the page puts toJSON on Array.prototype",
        "the result [1,2,3] is recorded as [1,2,3]",
        (
            "page/test_spoiled.py::test_what_a_page_or_a_task_puts_in_the_language_s_place_changes_nothing",
            "page/test_old_pages.py::test_a_page_with_an_old_library_sends_what_its_tasks_return",
        ),
    ),
    Met(
        "nginx stands in front, on another port than 80 and 443",
        "forms, pages and programs work with the lines of docs/offices.md",
        (
            "e2e/test_nginx.py::test_forms_pages_and_programs_work_behind_the_nginx_lines_of_the_page",
            "e2e/test_nginx.py::test_a_page_in_a_browser_works_behind_the_nginx_lines_of_the_page",
        ),
    ),
    Met(
        "nginx changes the Host header",
        "a 403 names both values that were compared, and the likely cause",
        (
            "e2e/test_nginx.py::test_lines_that_change_the_host_are_named_in_what_is_refused",
            "handlers/test_refusals.py::test_a_port_that_a_proxy_has_dropped_is_named_with_both_values",
        ),
    ),
    Met(
        "a token in the address with +, / or %",
        "it is taken as it stands",
        (
            "page/test_memory.py::test_a_token_in_the_address_is_used_kept_and_taken_out_of_it",
            "page/test_browsers.py::test_a_token_stands_in_the_address_as_it_is_and_a_wrong_one_says_what_must_be_encoded",
        ),
    ),
    Met(
        "a page of an origin that is not allowed",
        "NOT ALLOWED, with the server's words; the log has the first refusal of each kind a minute",
        (
            "page/test_said.py::test_a_page_that_the_server_refuses_stands_at_not_allowed_and_shows_the_server_s_words",
            "e2e/test_embedders.py::test_a_page_of_another_origin_reads_why_it_is_refused",
            "handlers/test_refusals.py::test_the_log_has_the_first_refusal_of_each_kind_a_minute",
        ),
    ),
    Met(
        "a task file with a fault: a typo, a throw, another name, nothing in it",
        "the page names the file, the line and the message",
        (
            "page/test_task_files.py::test_each_file_that_does_not_work_is_named_and_the_others_run",
            "page/test_task_files.py::test_a_page_none_of_whose_files_works_says_so_in_large_letters",
        ),
    ),
    Met(
        "a byte order mark before a body, a line of a batch, a form's JSON, a file of settings or a token",
        "it is skipped",
        ("handlers/api/test_words.py::test_a_byte_order_mark_is_skipped",),
    ),
    Met(
        "a body in UTF-16 or Windows-1252",
        "The body is in UTF-16, not in UTF-8: send it as UTF-8 (in PowerShell: ...)",
        (
            "handlers/api/test_words.py::test_what_cannot_be_read_is_named_with_its_place",
            "config/test_encodings.py::test_utf_16_is_named_with_what_to_do",
        ),
    ),
    Met(
        "PowerShell 5.1 and WinHTTP take JSON without a charset for Latin-1",
        "every answer in JSON says charset=utf-8",
        (
            "handlers/api/test_words.py::test_every_answer_in_json_says_its_charset",
            "transport/fronts/test_http.py::test_a_refusal_says_its_charset",
        ),
    ),
    Met(
        "half a surrogate pair, NaN, a raw line break, an empty body",
        "The body is not JSON: line 1, column 20: there is no NaN in JSON: send null, or a text.",
        (
            "handlers/api/test_words.py::test_what_cannot_be_read_is_named_with_its_place",
            "handlers/api/test_words.py::test_a_line_of_a_batch_is_named_by_its_number",
            "handlers/forms/test_formdata.py::test_data_that_is_not_json_says_where_and_what_to_do",
        ),
    ),
    Met(
        "?type=%FC",
        "type is not UTF-8 (character 1 is %FC, \u00fc in Windows-1252 and Latin-1): write \u00fc as %C3%BC.",
        ("handlers/api/test_words.py::test_a_field_of_an_address_that_is_not_utf_8_is_told_how_to_be_written",),
    ),
    Met(
        "a media type in capitals, or with parameters",
        "taken; else 415: The Content-Type says charset=iso-8859-1: send the body in UTF-8, and say charset=utf-8.",
        (
            "handlers/api/test_words.py::test_parameters_and_case_of_the_media_type_do_not_matter",
            "handlers/api/test_words.py::test_a_wrong_media_type_is_told_what_it_said",
            "handlers/forms/test_formbody.py::test_an_urlencoded_form_is_read_however_its_type_is_written",
        ),
    ),
    Met(
        r"a file from C:\Users\...\report.txt",
        "its name is report.txt",
        ("handlers/forms/test_formdata.py::test_a_file_has_its_name_without_the_directories_of_its_computer",),
    ),
    Met(
        "a body that is compressed",
        "415: The body comes as Content-Encoding: gzip: send it as it is, uncompressed.",
        ("handlers/api/test_words.py::test_a_compressed_body_is_a_415_that_names_it",),
    ),
    Met(
        "a field that stands twice in JSON",
        "422: #/priority stands twice; a page's message is refused with the same words",
        (
            "handlers/api/test_words.py::test_a_field_that_stands_twice_is_refused",
            "pages/test_protocol.py::test_a_field_that_stands_twice_is_refused",
        ),
    ),
    Met(
        "Excel or an old script posts a form to the API",
        "201 as JSON gets, with a token in a header or X-Requested-With; else a 415 that says so",
        (
            "handlers/api/test_formjob.py::test_a_form_becomes_a_job_and_is_answered_as_json_is",
            "handlers/api/test_formjob.py::test_a_form_that_a_foreign_page_can_send_is_refused_in_words",
            "handlers/api/test_formjob.py::test_where_a_token_is_set_a_form_needs_it_and_nothing_else",
        ),
    ),
    Met(
        "a proxy serves the program under a path",
        "pages, forms, links and cookies work under it, with and without the last slash",
        (
            "e2e/test_nginx.py::test_console_form_api_and_pages_work_under_a_path",
            "handlers/test_prefix.py::test_every_link_form_and_file_of_a_page_stands_under_the_prefix",
        ),
    ),
    Met(
        "a page from a file, or of a scheme of its own",
        "it joins only where the server's settings say so, and with the token",
        ("e2e/test_embedders.py::test_a_page_from_a_file_joins_only_where_that_is_said_and_with_the_token",),
    ),
    Met(
        "a number beyond 2^53 in a job's data",
        "job.text is the data as they came",
        ("page/test_task_errors.py::test_a_task_has_its_data_as_they_came",),
    ),
    Met(
        "a typo in the query of a list, ?status=failed",
        "400: status is not a field of this address; did you mean state?",
        (
            "handlers/test_queries.py::test_a_field_that_no_list_has_is_refused_with_the_one_that_was_meant",
            "handlers/test_queries.py::test_no_address_of_the_api_overlooks_a_field",
            "handlers/test_queries.py::test_a_field_that_is_given_twice_is_refused_and_not_half_obeyed",
        ),
    ),
    Met(
        "the cookies of other programs make a head of more than 16 KiB, or an address is that long",
        "431 or 414 as text, and a line in the log",
        (
            "transport/fronts/test_http_heads.py::test_a_head_that_is_too_large_is_a_431_and_told_of",
            "transport/fronts/test_http_heads.py::test_an_address_that_is_too_long_is_a_414_and_told_of",
            "attack/test_exposure.py::test_a_head_that_is_too_large_is_answered_and_logged",
        ),
    ),
    Met(
        "GET http://host/path in the first line, as clients say it to a proxy",
        "it is served as its path; the host in it counts, not the header",
        (
            "transport/fronts/test_http_heads.py::test_an_address_in_full_is_served_as_its_path",
            "attack/test_exposure.py::test_a_name_in_the_address_itself_counts_and_not_the_header",
        ),
    ),
    Met(
        "--allow-origin with the usual port, capitals, a name beyond ASCII or a *",
        "kept as a browser sends it; https://*.example must be one origin in full: no * stands for others",
        (
            "config/test_allow_origin.py::test_an_origin_is_kept_as_a_browser_sends_it",
            "config/test_allow_origin.py::test_what_no_browser_sends_is_refused_in_words",
        ),
    ),
    Met(
        "a program sends the console's form",
        "403 as text: Programs submit jobs as JSON: POST /api/v1/jobs, with 'Content-Type: application/json'.",
        ("handlers/test_nowhere.py::test_a_program_that_sends_a_form_of_ours_is_told_of_the_api_as_text",),
    ),
    Met(
        "a slash at the end of an address, an id in capitals",
        "led to the right address (a POST gets a 404 that names it); the same id",
        (
            "handlers/test_nowhere.py::test_a_slash_at_the_end_is_led_to_the_address_without_it",
            "handlers/test_nowhere.py::test_whoever_sends_something_is_told_the_address_and_nothing_is_done",
            "handlers/test_nowhere.py::test_an_id_in_capitals_is_the_same_id",
        ),
    ),
    Met(
        "a proxy in front has a sign-in of its own (Basic authentication)",
        "the token comes as X-Pagehand-Token, or is the password",
        (
            "e2e/test_nginx_sign_in.py::test_a_program_shows_its_password_to_nginx_and_the_token_to_us",
            "handlers/api/test_other_origins.py::test_a_proxy_may_have_a_sign_in_of_its_own",
        ),
    ),
    Met(
        "a page of another origin uses the API",
        "it may, if --allow-origin names it, with the token in a header; its browser may ask first without the token",
        (
            "handlers/api/test_other_origins.py::test_a_browser_may_ask_for_a_page_without_the_token",
            "handlers/api/test_other_origins.py::test_a_page_submits_with_the_token_and_reads_the_answer",
        ),
    ),
    Met(
        "a page asks for a type whose file is not offered",
        "A task file does not work: latin.js, it is not offered, because it is not UTF-8 (line 2): save it as UTF-8.",
        ("page/test_task_files.py::test_a_page_that_asks_for_a_type_whose_file_is_not_offered_says_why",),
    ),
    Met(
        "a task file that is not UTF-8, is empty, or whose name is no type's name",
        "the log and the page Types name the file, why it is not offered, and what to do",
        ("handlers/worker/test_task_faults.py::test_each_file_that_does_not_work_is_named_with_what_is_wrong",),
    ),
    Met(
        "marks that turn the direction of text in a name",
        "[U+202E] is shown",
        ("handlers/console/test_shown.py::test_a_direction_mark_is_spelled_out",),
    ),
    Met(
        "an unknown part of a worker page's address",
        '"type" is not a parameter (did you mean types?)',
        ("page/test_browsers.py::test_an_unknown_part_of_the_address_is_named_and_the_page_works",),
    ),
    Met(
        "done('') and done(false)",
        "anything but undefined and null is an error",
        ("page/test_attempts.py::test_whatever_a_task_fails_with_becomes_an_error",),
    ),
    Met(
        "a server on another origin, behind a single sign-on",
        "Pagehand.start({credentials: true}) sends the cookies",
        ("page/test_engine.py::test_requests_carry_credentials_only_where_the_page_was_told_to",),
    ),
    Met(
        "a promise that a task returns",
        "its value is the result, its reason the error",
        ("page/test_task_errors.py::test_a_promise_that_a_task_returns_decides_the_job_s_end",),
    ),
    Met(
        "PowerShell, VBA, curl on Windows, IIS",
        "the requests of docs/offices.md are taken",
        (
            "docs/test_offices.py::test_the_request_of_an_example_is_taken",
            "docs/test_offices.py::test_the_lines_for_curl_on_windows_work",
        ),
    ),
    Met(
        "Apache stands in front",
        "forms, pages and programs work with the lines of docs/offices.md",
        ("e2e/test_apache.py::test_forms_pages_and_programs_work_behind_the_apache_of_the_page",),
    ),
)
