"""What people read: each fault that was met on a screen or a page, its tests, and the answer as a user sees it."""

from __future__ import annotations

from tests.offices import Met

__all__ = ["READ"]

READ = (
    Met(
        "a job that a person decided, or in doubt by a timeout",
        "the sentence and the duration come from the reason and the attempt",
        ("handlers/console/test_sentences.py::test_the_reason_and_the_attempt_say_what_became_of_a_job",),
    ),
    Met(
        "a worker that went away",
        "Not here since 08:12 UTC, for 30 days",
        (
            "handlers/console/test_console.py::test_a_worker_that_goes_away_stays_in_the_list",
            "store/test_contract_workers.py::test_a_worker_is_missing_from_when_it_went_until_it_comes_back",
        ),
    ),
    Met(
        "a worker that has gone is looked for by its type or label",
        "the list says that the server knows only its name, and leads to those that have gone",
        (
            "handlers/console/test_gone.py::test_a_filter_that_cannot_find_who_has_gone_says_so",
            "handlers/console/test_gone.py::test_a_worker_that_has_gone_is_found_by_its_whole_name",
        ),
    ),
    Met(
        "names and types of 40 to 100 characters",
        "low rows and narrow pages; ids and ages never break, the whole stands in the title",
        ("handlers/test_look.py::test_the_longest_names_leave_rows_low_and_pages_narrow",),
    ),
    Met(
        "2,000 types, 2,000 warnings",
        "no page becomes longer",
        ("handlers/test_lists.py::test_two_thousand_types_and_warnings_make_a_page_no_longer",),
    ),
    Met(
        "a server that was stopped",
        "SERVER MAINTENANCE for two minutes, then RECONNECTING: The server does not answer since 10:30.",
        ("page/test_standing.py::test_a_server_that_stopped_is_in_maintenance_for_two_minutes_and_away_from_then_on",),
    ),
    Met(
        "a cancelled task that goes on",
        "the page says when it will be loaded again; the console says: over, but its task does not stop",
        (
            "page/test_standing.py::test_a_cancelled_task_that_goes_on_says_when_the_page_will_be_loaded_again",
            "handlers/console/test_hanging.py::"
            "test_a_cancelled_job_whose_task_goes_on_is_shown_as_hanging_until_the_page_answers",
        ),
    ),
    Met(
        "a second window of the same worker",
        "Another window of this browser is the worker DESK already",
        ("page/test_standing.py::test_a_second_window_of_the_browser_knows_the_first_one_by_name",),
    ),
    Met(
        "a browser without JavaScript",
        "NO JAVASCRIPT, and a sentence",
        ("page/test_browsers.py::test_a_browser_without_javascript_reads_a_sentence_and_not_that_it_starts",),
    ),
    Met(
        "a proxy that cuts waiting requests",
        "E-NET-12: after about 5 s; jobs still come, some seconds late",
        (
            "page/test_standing.py::test_polls_that_are_cut_at_the_same_age_again_and_again_are_named_as_that",
            "e2e/test_nginx.py::test_a_page_names_a_proxy_that_cuts_waiting_requests_and_still_gets_its_jobs",
        ),
    ),
    Met(
        "all pages of a type are paused; 40 of 40 jobs of a type failed; a job stands although a worker is free",
        "14 jobs of type fax wait: every worker that offers it is paused. Otherwise: All is well",
        (
            "handlers/overview/test_concerns.py::test_each_trouble_is_a_sentence_that_leads_to_more",
            "handlers/overview/test_concerns.py::test_one_line_says_that_all_is_well",
        ),
    ),
    Met(
        "data and results of one long line, with escapes",
        "indented and decoded, every digit kept; As sent has the original",
        (
            "handlers/console/test_values.py::test_each_value_stands_on_a_line_of_its_own_and_numbers_keep_their_digits",
            "handlers/console/test_values.py::test_texts_are_decoded_where_a_person_can_see_the_character",
        ),
    ),
    Met(
        "a refresh in the middle of a choice",
        "focus, selection and half-chosen filters stay",
        ("handlers/test_look.py::test_a_refresh_keeps_the_focus_and_a_half_chosen_filter",),
    ),
    Met(
        "lines of several tries in one log",
        "each says which try wrote it",
        ("store/test_contract_log.py::test_a_log_line_says_which_try_wrote_it",),
    ),
    Met(
        "two simulators with one --seed",
        "they are two workers",
        ("sdk/test_simulate.py::test_two_of_one_seed_are_not_one_worker",),
    ),
    Met(
        "an error in a callback of a task",
        "the attempt fails at once with that error",
        (
            "page/test_uncaught.py::test_the_error_itself_is_reported_where_the_engine_gives_it",
            "page/test_uncaught.py::test_an_error_in_a_callback_fails_the_attempt_at_once_as_old_engines_tell_it",
        ),
    ),
    Met(
        "Copy report where the page has stopped, or the browser is too old",
        "the button works there too, and the report has no token in it",
        (
            "page/test_browsers.py::test_a_page_that_asks_only_for_tasks_that_are_not_there_says_so",
            "page/test_check.py::test_a_browser_that_is_too_old_can_still_give_its_report_which_has_no_token_in_it",
        ),
    ),
    Met(
        "Pause was pressed with the keyboard",
        "the button says Resume, and has the focus still",
        ("page/test_browsers.py::test_pause_and_resume_are_buttons",),
    ),
    Met(
        "a token is missing, or is wrong",
        "each has a sentence and a code of its own",
        (
            "page/test_page_words.py::test_a_missing_token_and_a_wrong_one_have_sentences_of_their_own",
            "page/test_standing.py::test_a_missing_token_and_a_wrong_one_have_codes_of_their_own",
        ),
    ),
    Met(
        "whose fault is it?",
        "each sentence of trouble says so, and docs/codes.md has the same",
        (
            "page/test_page_words.py::test_each_sentence_of_trouble_says_whose_fault_it_is",
            "page/test_codes.py::test_the_table_names_whose_fault_it_is_as_the_page_does",
        ),
    ),
    Met(
        "somebody reads the page to the helpdesk by telephone",
        "one line has the name, the code and since when; none is there while nothing is wrong",
        (
            "page/test_page_words.py::test_one_line_to_read_aloud_has_name_code_and_since_when",
            "page/test_page_words.py::test_nothing_is_to_be_read_aloud_while_nothing_is_wrong",
        ),
    ),
    Met(
        "a task logs in its onCancel",
        "its lines stand in the job's log",
        (
            "page/test_task_errors.py::test_lines_of_on_cancel_are_in_the_job_s_log",
            "page/test_uncaught.py::test_lines_of_on_cancel_and_of_the_time_until_it_is_over_are_sent_before_the_release",
        ),
    ),
    Met(
        "errors in callbacks of a task should be lines of its log alone",
        "{uncaught: 'log'} as third argument of Pagehand.task",
        ("page/test_uncaught.py::test_a_task_may_ask_for_a_line_in_its_log_instead",),
    ),
    Met(
        "a job's effects and heartbeat",
        "its page shows each of its terms",
        ("handlers/console/test_console.py::test_a_jobs_page_shows_each_of_its_terms",),
    ),
    Met(
        "how far a task had come",
        "a bar while it runs, Last progress after it has failed",
        (
            "handlers/console/test_templates.py::test_a_job_that_has_ended_shows_its_last_progress",
            "handlers/console/test_templates.py::test_a_running_job_shows_its_progress_as_a_bar",
        ),
    ),
    Met(
        "data as the program sent them",
        "As sent shows them without any change",
        ("handlers/console/test_values.py::test_as_sent_changes_nothing",),
    ),
    Met(
        "ids of 36 letters",
        "their end is shown, the whole stands in the title, and a button copies it",
        (
            "handlers/console/test_shown.py::test_a_long_id_is_shown_by_its_end",
            "handlers/test_look.py::test_a_button_copies_the_whole_id",
        ),
    ),
    Met(
        "FRONT-DESK-2 and FRONT-DESK-10",
        "listed as people count, those that are here and those that have gone",
        (
            "node/views/test_workerlist.py::test_those_that_are_here_and_those_that_have_gone_stand_in_one_order_as_people_count",
            "store/test_contract_workers.py::test_the_missing_are_listed_as_people_count",
        ),
    ),
    Met(
        "document_mode: None, and user agents of 120 letters",
        "IE 11 on Windows 10; the user agent itself stands in the title",
        (
            "handlers/console/test_agents.py::test_a_user_agent_is_said_in_words",
            "handlers/console/test_agents.py::test_a_document_mode_and_missing_storage_are_named",
        ),
    ),
    Met(
        "a number of failures that is larger than that of failed jobs",
        "it is called Failed tries",
        ("handlers/console/test_templates.py::test_a_worker_s_failed_tries_are_called_that",),
    ),
    Met(
        "text is selected when a page refreshes",
        "the refresh waits",
        ("handlers/test_look.py::test_a_refresh_waits_while_text_is_selected",),
    ),
    Met(
        "a refresh and links; an error page",
        "the next page refreshes too, until somebody stops it; an error page offers none",
        ("handlers/test_look.py::test_a_refresh_survives_links_and_filters_until_it_is_stopped",),
    ),
    Met(
        "a person who prefers dark pages; a screen reader",
        "axe finds nothing in the console, in light and in dark",
        ("handlers/test_screens.py::test_axe_finds_nothing_wide_or_narrow_light_or_dark",),
    ),
    Met(
        "a person who prefers a dark worker page",
        "it is dark without bright parts, and can be read; Internet Explorer shows it as ever",
        ("page/test_dark.py::test_the_worker_page_is_dark_where_that_is_preferred_and_can_be_read",),
    ),
    Met(
        "effects, expires_s, max_crashes and heartbeat_s in the form",
        "each reaches the job, has the server's default, and is refused beside its field",
        (
            "handlers/console/test_submit.py::test_another_job_like_it_has_all_its_terms",
            "handlers/console/test_submit.py::test_an_untouched_form_has_the_servers_terms",
            "handlers/console/test_submit.py::test_effects_that_there_are_not_are_refused_beside_their_field",
            "handlers/console/test_templates.py::test_each_rarer_term_stands_among_the_options",
        ),
    ),
    Met(
        "a load is wanted",
        "pagehand simulate --submit 5/s",
        ("sdk/test_simulate.py::test_it_makes_load_of_the_types_in_turn_until_enough_is_done",),
    ),
    Met(
        "somebody who has never seen the program opens the README",
        "its first line says what the program is for",
        ("docs/test_plain.py::test_the_first_line_says_what_it_is_for",),
    ),
    Met(
        "a long README, with words that only its authors know",
        "half as long; examples come before such words",
        (
            "docs/test_plain.py::test_the_readme_is_half_as_long_as_it_was",
            "docs/test_plain.py::test_the_readme_needs_no_word_that_its_examples_have_not_shown",
        ),
    ),
    Met(
        "Load this page anew, To know, Do",
        "Refresh every 5 s, Note, Actions",
        ("docs/test_plain.py::test_the_console_has_plain_words_in_the_place_of_those_that_misled_people",),
    ),
    Met(
        "which page of the documentation is for me?",
        "docs/README.md names each page and for whom it is",
        ("docs/test_plain.py::test_the_index_names_every_page_for_whom_it_is",),
    ),
    Met(
        "to install it as a service, to upgrade, to go back",
        "docs/install.md; its commands are run, up to a new version and back",
        (
            "docs/test_install.py::test_the_service_is_installed_upgraded_and_brought_back_by_the_page_s_commands",
            "test_unit_file.py::test_systemd_understands_every_line_of_the_unit",
        ),
    ),
    Met(
        "to open it to the network",
        "a box with three commands, each right on the machine where it is typed",
        ("docs/test_network.py::test_the_commands_that_open_it_to_a_network_work",),
    ),
    Met(
        "a task does not work, and its author does not know where to look",
        "docs/tasks.md shows each kind of trouble as a picture, with the words of the screen",
        ("docs/test_plain.py::test_tasks_authors_see_each_kind_of_trouble_as_a_picture",),
    ),
    Met(
        "what is not there yet",
        "a line of the README; docs/design.md has each part of it",
        ("docs/test_plain.py::test_what_is_not_there_yet_stands_among_the_known_gaps",),
    ),
    Met(
        "times in UTC are not those on the wall",
        "local time stands beside them; without JavaScript UTC alone",
        (
            "handlers/test_look.py::test_local_time_stands_beside_utc",
            "handlers/console/test_templates.py::test_without_javascript_instants_are_in_utc",
        ),
    ),
)
