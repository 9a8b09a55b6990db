import threading

from shared.ids import new_id, ulid


def test_ids_of_a_process_rise_and_never_meet() -> None:
    made = [ulid() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert all(len(one) == 26 for one in made)


def test_threads_do_not_make_the_same_id() -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend(ulid() for _ in range(1000))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 4000


def test_an_id_tells_what_it_names() -> None:
    assert new_id("imp").startswith("imp_")
