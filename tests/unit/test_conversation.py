"""A conversation through the whole Python application: sending, stopping, trying again, editing, losing the engine."""

from __future__ import annotations

from panel_harness import Panel


def said(request: dict) -> list[tuple[str, str]]:
    """What the model was sent, without the system message."""
    return [(m["role"], m["content"]) for m in request["messages"] if m["role"] != "system"]


async def test_an_answer_streams_through_the_session(panel: Panel) -> None:
    panel.send(type="prompt", id="q1", text="How are you?")
    answer = await panel.settled()
    question = panel.messages()[0]
    assert (question["text"], question["state"]) == ("How are you?", "done")
    assert (answer["text"], answer["state"]) == ("All is well.", "done")
    assert answer["usage"]["input_tokens"] == 20
    assert answer["usage"]["cache_read_tokens"] == 5
    assert answer["usage"]["prefill_tokens_per_second"] == 30.0
    assert [event["text"] for event in panel.events if event["type"] == "delta"] == ["All ", "is ", "well."]


async def test_the_next_turn_knows_the_first(panel: Panel) -> None:
    panel.send(type="prompt", id="q1", text="One")
    panel.send(type="prompt", id="q2", text="Two")  # typed while the first is answered: it waits its turn
    await panel.settled(2)
    assert said(panel.requests[1]) == [("user", "One"), ("assistant", "All is well."), ("user", "Two")]


async def test_what_is_typed_before_the_engine_is_there_is_sent_when_it_comes() -> None:
    panel = Panel()
    panel.send(type="prompt", id="q1", text="Early")
    await panel.until(lambda: any(event["type"] == "busy" for event in panel.events))
    assert panel.requests == []
    panel.connect()
    assert (await panel.settled())["text"] == "All is well."
    await panel.close()


async def test_stop_keeps_what_was_written(panel: Panel) -> None:
    panel.answer = lambda _request: ["Half ", "an answer", "..."]
    panel.send(type="prompt", id="q1", text="Long?")
    await panel.until(lambda: panel.answers() and panel.answers()[0]["text"] == "Half an answer")
    panel.send(type="stop")
    answer = await panel.settled()
    assert (answer["text"], answer["state"]) == ("Half an answer", "stopped")


async def test_stop_before_the_first_word_and_the_session_goes_on(panel: Panel) -> None:
    panel.answer = lambda _request: ["..."]
    panel.send(type="prompt", id="q1", text="First")
    await panel.until(lambda: panel.requests)
    panel.send(type="stop")
    assert (await panel.settled())["state"] == "stopped"
    panel.answer = lambda _request: ["Fine."]
    panel.send(type="prompt", id="q2", text="Second")
    assert (await panel.settled(2))["text"] == "Fine."
    assert said(panel.requests[-1]) == [("user", "Second")]  # an unanswered question would only confuse the model


async def test_stop_while_the_engine_still_loads() -> None:
    panel = Panel()
    panel.send(type="prompt", id="q1", text="Early")
    await panel.until(lambda: any(event["type"] == "busy" for event in panel.events))
    panel.send(type="stop")
    panel.connect()
    assert (await panel.settled())["state"] == "stopped"
    assert panel.requests == []
    await panel.close()


async def test_stop_takes_back_what_waits(panel: Panel) -> None:
    panel.answer = lambda _request: ["..."]
    panel.send(type="prompt", id="q1", text="One")
    panel.send(type="prompt", id="q2", text="Two")
    await panel.until(lambda: panel.requests)
    panel.send(type="stop")
    await panel.settled()
    waiting = next(message for message in panel.messages() if message["id"] == "q2")
    assert (waiting["text"], waiting["state"]) == ("Two", "stopped")
    assert len(panel.requests) == 1


async def test_retry_answers_again_without_the_old_answer(panel: Panel) -> None:
    panel.send(type="prompt", id="q1", text="Again?")
    first = await panel.settled()
    panel.answer = lambda _request: ["Better."]
    panel.send(type="retry", id=first["id"])
    await panel.until(lambda: panel.answers() and panel.answers()[-1]["text"] == "Better.")
    await panel.settled()
    assert said(panel.requests[1]) == [("user", "Again?")]
    assert [message["text"] for message in panel.messages()] == ["Again?", "Better."]


async def test_continue_goes_on_with_a_stopped_answer(panel: Panel) -> None:
    panel.answer = lambda _request: ["One, two,", "..."]
    panel.send(type="prompt", id="q1", text="Count")
    await panel.until(lambda: panel.answers() and panel.answers()[0]["text"])
    panel.send(type="stop")
    stopped = await panel.settled()
    panel.answer = lambda _request: [" three."]
    panel.send(type="continue", id=stopped["id"])
    await panel.until(lambda: panel.answers()[0]["text"].endswith("three."))
    answer = await panel.settled()
    assert (answer["text"], answer["state"]) == ("One, two, three.", "done")
    assert said(panel.requests[1]) == [("user", "Count"), ("assistant", "One, two,")]
    panel.send(type="prompt", id="q2", text="And?")
    await panel.settled(2)
    assert said(panel.requests[2])[1] == ("assistant", "One, two, three.")


async def test_edit_drops_what_followed(panel: Panel) -> None:
    panel.send(type="prompt", id="q1", text="One")
    await panel.settled()
    panel.send(type="prompt", id="q2", text="Two")
    await panel.settled(2)
    panel.send(type="edit", id="q1", text="Uno")
    await panel.until(lambda: len(panel.requests) == 3)
    await panel.settled()
    assert said(panel.requests[2]) == [("user", "Uno")]
    assert [message["text"] for message in panel.messages()] == ["Uno", "All is well."]


async def test_new_session_forgets(panel: Panel) -> None:
    panel.send(type="prompt", id="q1", text="Secret")
    await panel.settled()
    panel.send(type="new-session")
    await panel.until(lambda: panel.messages() == [])
    panel.send(type="prompt", id="q2", text="Fresh")
    await panel.settled()
    assert said(panel.requests[-1]) == [("user", "Fresh")]


async def test_new_session_in_the_middle_of_an_answer(panel: Panel) -> None:
    panel.answer = lambda _request: ["Never ends", "..."]
    panel.send(type="prompt", id="q1", text="Secret")
    await panel.until(lambda: panel.answers())
    panel.send(type="new-session")
    await panel.until(lambda: not panel.is_busy())
    assert panel.messages() == []
    panel.answer = lambda _request: ["Fine."]
    panel.send(type="prompt", id="q2", text="Fresh")
    assert (await panel.settled())["text"] == "Fine."
    assert said(panel.requests[-1]) == [("user", "Fresh")]


async def test_an_answer_goes_on_by_itself_when_the_engine_was_lost(panel: Panel) -> None:
    answers = iter([["One, ", "!engine-lost"], ["two."]])
    panel.answer = lambda _request: next(answers)
    panel.send(type="prompt", id="q1", text="Count")
    answer = await panel.settled()
    assert (answer["text"], answer["state"]) == ("One, two.", "done")
    assert said(panel.requests[1]) == [("user", "Count"), ("assistant", "One, ")]
    assert "started again" in answer["notes"][0]


async def test_the_port_is_closed_in_the_middle_of_an_answer(panel: Panel) -> None:
    panel.answer = lambda _request: ["One, ", "..."]
    panel.send(type="prompt", id="q1", text="Count")
    await panel.until(lambda: panel.answers() and panel.answers()[0]["text"])
    panel.lose_engine()
    panel.answer = lambda _request: ["two."]
    panel.connect()
    answer = await panel.settled()
    assert (answer["text"], answer["state"]) == ("One, two.", "done")


async def test_an_engine_that_is_lost_again_and_again_leaves_the_text_and_a_way_on(panel: Panel) -> None:
    panel.answer = lambda _request: ["x", "!engine-lost"]
    panel.send(type="prompt", id="q1", text="Count")
    answer = await panel.settled()
    assert (answer["text"], answer["state"]) == ("xxx", "error")
    assert answer["error"]["action"]["command"] == {"type": "continue", "id": answer["id"]}


async def test_no_graphics_card_is_said_with_the_next_step() -> None:
    panel = Panel()
    panel.connect("unavailable", {"code": "no-adapter", "message": "requestAdapter() gave null"})
    engine = next(event["engine"] for event in panel.events if event["type"] == "engine")
    assert engine["error"]["title"] == "No graphics card that the model can use"
    assert "chrome://gpu" in engine["error"]["detail"]
    assert engine["error"]["action"]["command"] == {"type": "reload-engine"}
    await panel.close()


async def test_a_question_too_long_for_the_model_says_so_and_is_kept(panel: Panel) -> None:
    panel.send(type="prompt", id="q1", text="word " * 500)
    answer = await panel.settled()
    assert answer["state"] == "error"
    assert answer["error"]["title"] == "This is too long for the model"
    assert "508" in answer["error"]["detail"]
    assert panel.requests == []
    assert panel.messages()[0]["text"] == "word " * 500


async def test_a_conversation_too_long_drops_its_start_and_says_so(panel: Panel) -> None:
    panel.answer = lambda _request: ["answer " * 60]
    for number in range(1, 6):
        panel.send(type="prompt", id=f"q{number}", text=f"question {number} " * 10)
        await panel.settled(number)
    sent = panel.requests[-1]["messages"]
    assert sent[0]["role"] == "system"
    assert sent[1]["role"] == "user"
    assert sent[-1]["content"].startswith("question 5")
    assert not any("question 1" in message["content"] for message in sent)
    notes = [note for answer in panel.answers() for note in answer.get("notes", [])]
    assert any("left out" in note for note in notes)


async def test_a_failing_model_leaves_a_way_on(panel: Panel) -> None:
    panel.answer = lambda _request: ["Half", "!failed"]
    panel.send(type="prompt", id="q1", text="Well?")
    answer = await panel.settled()
    assert (answer["text"], answer["state"]) == ("Half", "error")
    assert answer["error"]["action"]["command"]["type"] == "retry"
    panel.answer = lambda _request: ["Fine."]
    panel.send(type="retry", id=answer["id"])
    await panel.until(lambda: panel.answers() and panel.answers()[-1]["state"] == "done")


async def test_a_waiting_question_that_is_edited_is_asked_once(panel: Panel) -> None:
    panel.answer = lambda _request: ["..."]
    panel.send(type="prompt", id="q1", text="One")
    panel.send(type="prompt", id="q2", text="Two")
    await panel.until(lambda: panel.requests)
    panel.send(type="edit", id="q2", text="Zwei")
    panel.answer = lambda _request: ["Fine."]
    panel.send(type="stop")
    await panel.settled()
    panel.send(type="edit", id="q2", text="Zwei")
    await panel.settled(2)
    assert [said(request)[-1] for request in panel.requests] == [("user", "One"), ("user", "Zwei")]


async def test_trying_again_shows_at_once_that_it_waits(panel: Panel) -> None:
    panel.send(type="prompt", id="q1", text="One")
    first = await panel.settled()
    panel.send(type="retry", id=first["id"])
    assert [answer["state"] for answer in panel.answers()] == ["queued"]
    await panel.settled()


async def test_asked_again_it_may_answer_otherwise(panel: Panel) -> None:
    panel.send(type="prompt", id="q1", text="One")
    first = await panel.settled()
    panel.send(type="retry", id=first["id"])
    await panel.until(lambda: len(panel.requests) == 2)
    await panel.settled()
    assert [request["temperature"] for request in panel.requests] == [0.0, 0.6]


async def test_a_graphics_card_that_fills_up_in_an_answer_is_named_while_the_engine_runs(panel: Panel) -> None:
    panel.answer = lambda _request: ["Half", "!out-of-memory"]
    panel.send(type="prompt", id="q1", text="Well?")
    answer = await panel.settled()
    assert (answer["text"], answer["state"]) == ("Half", "error")
    assert answer["error"]["title"] == "The graphics card ran out of memory"
    assert answer["error"]["action"]["command"] == {"type": "retry", "id": answer["id"]}
