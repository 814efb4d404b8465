"""Requests to notifications: one's own inbox."""

from typing import Any

from services.notifications.schemas import NotificationPage, NotificationView, UnreadView
from services.notifications.store import Entry, Inbox, Notification
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller, database
from shared.web.cursors import page
from shared.web.schemas import PageQuery

api = Blueprint("notifications", __name__, url_prefix="/v1")


def inbox() -> Inbox:
    return Inbox(database())


@api.get("/notifications")
@allows("notification.list")
@api.arguments(PageQuery, location="query")
@api.response(200, NotificationPage)
def list_notifications(query: dict[str, Any]) -> dict[str, Any]:
    me = caller()
    return page(query, lambda limit, after: inbox().of_person(me.practice_id, me.id, limit, after))


@api.get("/notifications/unread")
@allows("notification.list")
@api.response(200, UnreadView)
def count_unread() -> dict[str, int]:
    return {"unread": inbox().unread(caller().practice_id, caller().id)}


@api.put("/notifications/<notification_id>/read")
@allows("notification.read", inbox, repeatable=True)
@api.response(200, NotificationView)
def mark_read(notification: Entry) -> Notification:
    return inbox().mark_read(caller().practice_id, notification.id, now())
