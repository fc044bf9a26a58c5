"""Mutants of REST, one row each: most are an answer that is wrong in one place, seen by rows and acts."""

from collections.abc import Callable
from typing import Any, Final

from harness.mutants import rest_spoils as spoils
from harness.mutants.front import Body, Front, MakeFront, edited, edited_errors, instead, with_fields, without
from harness.mutants.model import Mutant, Tier
from harness.mutants.parts import Parts
from reference_server.operations import Decisions


def _front(
    name: str, sentence: str, front: MakeFront, *clauses: str, checkers: tuple[str, ...] = ("cases",), t0: bool = False
) -> Mutant:
    tiers: tuple[Tier, ...] = ("t0",) if t0 else ("inside",)
    return Mutant(name, sentence, Parts(front=front), clauses, checkers, tiers)


def _decided(name: str, sentence: str, decisions: Callable[[], Decisions], *clauses: str) -> Mutant:
    return Mutant(name, sentence, Parts(decisions=decisions), clauses, ("cases",), ("inside",))


def _task(name: str, sentence: str, edit: Callable[[Body], Body], *clauses: str, checkers: tuple[str, ...]) -> Mutant:
    """A task that is shown wrongly: seen wherever one is read, on virtual time too."""
    return _front(name, sentence, edited("get_task", edit=edit), *clauses, checkers=checkers, t0=True)


def _path_ends(word: str) -> Callable[[Any], bool]:
    return lambda asked: asked.head.path.endswith(word)


def _finished(body: Body) -> bool:
    return body["status"] in ("completed", "failed", "canceled")


CONVENTIONS: Final = (
    _front("json_called_text", "JSON is called text/plain", spoils.answering(spoils.called_text), "REST-JSON-1",
           checkers=("answers",), t0=True),
    _task("task_without_budget", "a task lacks its budget", without("budget"), "REST-SCHEMA-1", checkers=("answers",)),
    _task("stamp_without_fraction", "created_at has no fraction",
          with_fields(created_at=lambda body: body["created_at"][:19] + "Z"), "REST-TIME-1", checkers=("answers",)),
    _front("error_without_message", "errors have no message", edited_errors(without("message")), "REST-ERR-1",
           checkers=("errors",), t0=True),
    _front("error_with_a_trace", "errors tell the type of the exception",
           edited_errors(with_fields(message="KeyError: 'task'")), "REST-ERR-2", checkers=("errors",), t0=True),
    _front("unknown_route_answered", "an unknown route is 200",
           instead(404, 200, when=lambda asked: not asked.operation, body={}), "REST-ROUTE-1"),
    _front("methods_unnamed", "405 has no Allow", spoils.answering(spoils.silent_refusals), "REST-ROUTE-2"),
    _front("body_before_credential", "a wrong body is told before the missing credential",
           instead(401, 400, when=_path_ends("/tasks/submit")), "REST-ORDER-1"),
    _front("any_content_type", "a body of another type is called bad", instead(415, 400), "REST-TYPE-1"),
    _front("takes_any_body", "a submit takes whatever its body is",
           instead(400, 202, "submit_task", body=spoils.ACCEPTED), "REST-BODY-1", "REST-BODY-4", "REST-BODY-5"),
    _front("unknown_fields_refused", "a field that is not known is refused",
           spoils.answering(spoils.unknown_fields_refused), "REST-BODY-2"),
    _front("first_name_wins", "of doubled names the first wins", lambda: Front(body=spoils.first_name_wins),
           "REST-BODY-3"),
    _front("malformed_id_refused", "a malformed id is 400",
           instead(404, 400, when=_path_ends("not-a-uuid")), "REST-ID-1"),
    _front("numbered_tasks", "a task's id is a number", edited("get_task", edit=with_fields(id="7")), "REST-ID-2",
           checkers=("identity",), t0=True),
    _front("fields_unnamed", "details are left out", edited_errors(without("details"), 400), "REST-FIELD-1"),
    _front("counts_bytes", "lengths are counted in bytes", spoils.answering(spoils.counts_bytes), "REST-FIELD-2"),
    _front("health_says_ok", "health says ok", edited("health", edit=with_fields(status="ok")), "REST-HEALTH-1"),
    _front("ready_says_ok", "ready says ok", edited("ready", edit=with_fields(status="ok")), "REST-READY-1"),
)  # fmt: skip

SERVICE: Final = (
    _front("metrics_without_sockets", "metrics tell nothing of sockets",
           spoils.answering(spoils.metrics_without_sockets), "REST-METRICS-1", checkers=("exposition",)),
)  # fmt: skip

USERS: Final = (
    _front("email_changed", "an e-mail is kept in small letters",
           edited("register", edit=with_fields(user=spoils.in_small_letters)),
           "REST-USER-1"),
    _front("email_taken_twice", "registering an e-mail again succeeds", instead(409, 200, "register"), "REST-USER-2"),
    _front("me_is_somebody_else", "me shows another account", edited("me", edit=with_fields(id=spoils.SOME_ID)),
           "REST-USER-3"),
    _front("logout_wants_a_body", "logout without a body is 400",
           instead(200, 400, "logout", when=lambda asked: not asked.body), "REST-LOGOUT-1"),
    _front("profile_unchanged", "a new name is not shown", edited("update_me", edit=with_fields(full_name="A")),
           "REST-PROFILE-1"),
    _front("any_password_changes_email", "an e-mail is changed with a wrong password", instead(401, 200, "update_me"),
           "REST-PROFILE-2"),
    _front("picture_not_shown", "me shows no picture", edited("me", edit=with_fields(avatar_url=None)),
           "REST-AVATAR-1"),
    _front("picture_may_run", "a picture has no sandbox", spoils.answering(spoils.bare_pictures), "REST-AVATAR-2"),
    _front("anything_is_a_picture", "a page is taken for a picture",
           instead(400, 200, "set_avatar", body={"avatar_url": "/x", "message": "done"}), "REST-AVATAR-3"),
    _front("picture_by_number", "every picture has one URL",
           edited("set_avatar", edit=with_fields(avatar_url="/api/v1/avatars/7")), "REST-AVATAR-4"),
    _front("revoked_keys_unlisted", "revoked keys are not listed",
           edited("list_api_keys", edit=spoils.only_active_keys), "REST-KEY-1"),
    _front("every_key_is_live", "a test key is called live",
           edited("make_api_key", edit=with_fields(prefix="zs_live_")), "REST-KEY-2"),
    _front("key_revoked_once", "revoking a key again is 404", spoils.revokes_once, "REST-KEY-3"),
    _front("key_never_used", "a key says that it was never used",
           edited("list_api_keys", edit=spoils.each_in("api_keys", with_fields(last_used_at=None))), "REST-KEY-4"),
)  # fmt: skip

AGENTS: Final = (
    _front("seeded_price", "every agent costs 1",
           edited("get_agent", edit=with_fields(price=1.0)), "REST-AGENT-1",
           checkers=("resources",)),
    _front("agents_turned_round", "lists of agents are turned round",
           edited("list_agents", edit=spoils.reversed_list("agents")), "REST-AGENT-2"),
    _front("agent_renamed_alone", "an agent alone has another name",
           edited("get_agent", edit=with_fields(name="Somebody")), "REST-AGENT-3"),
    _decided("search_with_wildcards", "a search takes % for any letters",
             spoils.deciding(spoils.search_with_wildcards, "search_agents"), "REST-SEARCH-1"),
    _front("other_wasm_hash", "a registration tells another hash",
           edited("register_agent", edit=with_fields(wasm_hash="0" * 64)), "REST-REGISTER-1"),
    _front("registration_unprocessable", "a wrong registration is 422", instead(400, 422, "register_agent"),
           "REST-REGISTER-2"),
    _front("price_not_changed", "a new price is not shown", edited("update_agent", edit=with_fields(price=0.5)),
           "REST-UPDATE-1"),
    _front("anybody_changes_agents", "changing another's agent is 200", instead(403, 200, "update_agent", body={}),
           "REST-UPDATE-2"),
    _decided("deleted_agent_stays", "a deleted agent is still there",
             spoils.deciding(spoils.delete_forgets, "delete_agent"), "REST-DELETE-1"),
    _decided("deployments_run_on", "deployments of a deleted agent run on",
             spoils.deciding(spoils.delete_leaves_deployments, "delete_agent"), "REST-DELETE-2"),
    _front("etag_is_no_hash", "a binary's ETag is not its hash", spoils.answering(spoils.other_etag), "REST-BINARY-1"),
    _front("version_uploaded_twice", "uploading a version again is 201", instead(409, 201, "upload_binary"),
           "REST-BINARY-2"),
    _decided("oldest_binary_served", "without a version the first uploaded binary is served",
             spoils.deciding(spoils.of_the_oldest_version, "get_binary"), "REST-BINARY-3"),
    _decided("one_binary_deleted", "without a version only one binary is deleted",
             spoils.deciding(spoils.of_the_oldest_version, "delete_binary"), "REST-BINARY-4"),
    _front("versions_turned_round", "versions are listed oldest first",
           edited("list_versions", edit=spoils.reversed_list("versions")), "REST-VERSION-1"),
)  # fmt: skip

WORK: Final = (
    _task("priority_forgotten", "every task is shown with priority normal", with_fields(priority="normal"),
          "REST-TASK-1", checkers=("resources",)),
    _front("total_wrong", "the total of a list is one too high",
           edited("list_tasks", edit=with_fields(total=lambda body: body["total"] + 1)), "REST-TASK-2",
           checkers=("cases", "resources"), t0=True),
    _front("canceled_twice", "canceling a finished task is 200",
           instead(409, 200, "cancel_task", body={"task_id": spoils.SOME_ID, "status": "canceled", "message": "m"}),
           "REST-TASK-3", checkers=("cases", "resources"), t0=True),
    _front("pages_skip", "later pages skip a task", spoils.answering(spoils.skips_on_later_pages), "REST-TASK-4"),
    _front("status_behind", "a status is always half done",
           edited("get_task_status", edit=with_fields(progress=51)), "REST-STATUS-1", checkers=("outcomes",)),
    _front("result_costs_more", "a result tells twice the cost",
           edited("get_task_result", edit=with_fields(cost=lambda body: 2 * body["cost"])), "REST-RESULT-1",
           "TASK-COST-2", checkers=("outcomes",)),
    _front("result_too_early", "an unfinished task has a result",
           instead(400, 200, "get_task_result", body={}), "REST-RESULT-2"),
    _front("duration_in_seconds", "durations are seconds",
           edited("get_task_result", edit=with_fields(duration=lambda body: body["duration"] / 1000)),
           "TASK-DURATION-1", checkers=("outcomes",)),
    _front("rate_too_low", "the success rate is one percent too low",
           edited("orchestrator_metrics", edit=with_fields(success_rate=lambda body: body["success_rate"] - 1)),
           "REST-ORCH-1", checkers=("cases", "resources")),
    _front("canceled_counted", "canceled tasks are counted", spoils.counts_canceled, "REST-ORCH-2"),
    _front("nobody_works", "no worker is ever active",
           edited("orchestrator_metrics", edit=with_fields(active_workers=0)), "REST-ORCH-3"),
    _front("health_in_percent", "health tells its rate in percent",
           edited("orchestrator_health", edit=with_fields(success_rate=lambda body: 100 * body["success_rate"])),
           "REST-ORCH-4"),
    _front("always_development", "every deployment is for development",
           edited("deploy", edit=with_fields(environment="development")), "REST-DEPLOY-1"),
    _front("deployments_turned_round", "deployments are listed oldest first",
           edited("list_deployments", edit=spoils.reversed_list("deployments")), "REST-DEPLOY-2"),
    _front("stopped_says_deployed", "stopping shows the deployment as it was",
           edited("stop_deployment", edit=with_fields(status="deployed")), "REST-DEPLOY-3"),
    _front("deployment_unprocessable", "a wrong deployment is 422", instead(400, 422, "deploy"), "REST-DEPLOY-4"),
)  # fmt: skip

TASKS: Final = (
    _task("failure_costs", "a task that failed costs something",
          lambda body: {**body, "actual_cost": 0.01} if body["status"] == "failed" else body, "TASK-COST-1",
          checkers=("lifecycle",)),
    _task("endless_error", "errors are not cut",
          lambda body: {**body, "error": "x" * 2000} if "error" in body else body, "TASK-ERROR-1",
          checkers=("outcomes",)),
    _task("progress_done_early", "a task that was canceled shows the progress of one that completed",
          lambda body: {**body, "progress": 100} if _finished(body) else body, "TASK-PROGRESS-1",
          checkers=("lifecycle",)),
    _task("revision_stays", "a task's revision stays 1", with_fields(revision=1), "TASK-REVISION-1",
          checkers=("lifecycle",)),
    _task("end_not_told", "a finished task has no completed_at", without("completed_at"), "TASK-TIMES-1",
          checkers=("lifecycle",)),
    _task("retries_forgotten", "retries are not counted", with_fields(retry_count=0), "TASK-RETRY-1",
          checkers=("steering",)),
    _task("timeout_unsaid", "a timeout does not say so",
          lambda body: {**body, "error": "it failed"} if "error" in body else body, "TASK-TIMEOUT-1",
          checkers=("steering",)),
    _front("unfit_task_started", "a task that no agent fits seems to have begun",
           edited("get_task", edit=lambda body: {**body, "started_at": body["created_at"], "progress": 50}
                  if body["status"] == "failed" and "started_at" not in body else body), "TASK-FIT-1",
           checkers=("cases", "steering"), t0=True),
    _front("ends_at_once", "a completed task took no time",
           edited("get_task", edit=lambda body: {**body, "completed_at": body["started_at"]}
                  if body["status"] == "completed" else body), "TASK-STEER-1", checkers=("outcomes",)),
    _front("moves_count_as_retries", "being assigned anew counts as a retry",
           edited("get_task", edit=with_fields(retry_count=1)), "TASK-AWAY-1"),
)  # fmt: skip

REST_MUTANTS: Final = (*CONVENTIONS, *SERVICE, *USERS, *AGENTS, *WORK, *TASKS)
