"""python -m build_tools.bench.extraction.django_forum OUT THREAD: a topic of django-machina, a forum, with its own templates."""
# pyright: reportMissingImports=false

from __future__ import annotations

import json
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

import django
from django.conf import settings

WHEN = datetime(2025, 6, 21, 8, 0, tzinfo=UTC)


def main(out: Path, thread: Path) -> None:
    """Writes OUT/index.html and the files that it needs."""
    _configure(out)
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse
    from machina.apps.forum.models import Forum  # pyright: ignore[reportUnknownVariableType]
    from machina.apps.forum_conversation.models import Post, Topic
    from machina.apps.forum_permission.models import ForumPermission, UserForumPermission

    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    told = json.loads(thread.read_text(encoding="utf-8"))
    forum = Forum.objects.create(name=told["board"], type=Forum.FORUM_POST)
    for code in ("can_see_forum", "can_read_forum"):
        permission = ForumPermission.objects.get(codename=code)
        UserForumPermission.objects.create(anonymous_user=True, permission=permission, has_perm=True)
    people = {name: get_user_model().objects.create_user(name) for name in sorted({post["author"] for post in told["posts"]})}
    asker = people[told["posts"][0]["author"]]
    topic = Topic.objects.create(forum=forum, poster=asker, subject=told["title"], type=0, status=0, approved=True)
    for post in told["posts"]:
        author = people[post["author"]]
        Post.objects.create(topic=topic, poster=author, subject=told["title"], content=_markdown(post), approved=True)
    Post.objects.update(created=WHEN, updated=WHEN)
    place = {"forum_slug": forum.slug, "forum_pk": forum.pk, "slug": topic.slug, "pk": topic.pk}
    page = Client().get(reverse("forum_conversation:topic", kwargs=place))
    assert page.status_code == 200, page.status_code
    (out / "index.html").write_bytes(page.content)


def _markdown(post: dict[str, object]) -> str:
    blocks: list[str] = [*post["text"], *(f"1. {item}" for item in post["items"])]  # pyright: ignore
    if post["code"]:
        blocks.append(textwrap.indent(str(post["code"]), "    "))
    return "\n\n".join(blocks)


class _NoMigrations:
    """Tables are made as the models are now, which is faster than how they came to be so."""

    def __contains__(self, _name: str) -> bool:
        return True

    def __getitem__(self, _name: str) -> None:
        return None


def _configure(out: Path) -> None:
    from machina import MACHINA_MAIN_STATIC_DIR, MACHINA_MAIN_TEMPLATE_DIR

    machina = "machina.apps."
    settings.configure(
        DEBUG=False,
        SECRET_KEY="a benchmark has no secrets",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="build_tools.bench.extraction.django_forum",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            *("django.contrib." + name for name in ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")),
            *("mptt", "haystack", "widget_tweaks", "machina", machina + "forum", machina + "forum_conversation"),
            *(machina + "forum_conversation." + name for name in ("forum_attachments", "forum_polls")),
            *(machina + "forum_" + name for name in ("feeds", "moderation", "search", "tracking", "member", "permission")),
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "machina.apps.forum_permission.middleware.ForumPermissionMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [MACHINA_MAIN_TEMPLATE_DIR],
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                        "machina.core.context_processors.metadata",
                    ]
                },
            }
        ],
        CACHES={
            name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"} for name in ("default", "machina_attachments")
        },
        HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        MIGRATION_MODULES=_NoMigrations(),
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        STATIC_URL="/static/",
        STATIC_ROOT=str(out / "static"),
        STATICFILES_DIRS=[MACHINA_MAIN_STATIC_DIR],
        MEDIA_ROOT=str(out / "media"),
        USE_TZ=True,
    )
    django.setup()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
elif settings.configured:
    from django.urls import include, path

    urlpatterns = [path("forum/", include("machina.urls"))]
