"""python -m build_tools.bench.extraction.django_shop OUT PRODUCT: a product's page of django-oscar, a shop, as it comes."""
# pyright: reportMissingImports=false

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import django
from django.conf import settings

WHEN = datetime(2025, 6, 21, 8, 0, tzinfo=UTC)


def main(out: Path, product: Path) -> None:
    """Writes OUT/index.html and the files that it needs."""
    _configure(out)
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client
    from oscar.apps.catalogue.categories import create_from_breadcrumbs
    from oscar.apps.catalogue.models import Product, ProductAttribute, ProductClass, ProductRecommendation
    from oscar.apps.catalogue.reviews.models import ProductReview
    from oscar.apps.partner.models import Partner, StockRecord

    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    told = json.loads(product.read_text(encoding="utf-8"))
    kind = ProductClass.objects.create(name="Outdoor", track_stock=True)
    partner = Partner.objects.create(name=told["maker"])

    def made(title: str, description: str) -> Product:
        item = Product.objects.create(title=title, product_class=kind, description=description, is_public=True)
        item.categories.add(create_from_breadcrumbs("Outdoor > Packs"))
        StockRecord.objects.create(
            product=item,
            partner=partner,
            partner_sku=f"S{item.pk}",
            price=Decimal("129.00"),
            price_currency="GBP",
            num_in_stock=9,
        )
        return item

    points = "".join(f"<li>{point}</li>" for point in told["points"])
    item = made(told["name"], "".join(f"<p>{text}</p>" for text in told["description"]) + f"<ul>{points}</ul>")
    for at, (name, value) in enumerate(told["specifications"]):
        attribute = ProductAttribute.objects.create(product_class=kind, name=name, code=f"a{at}", type="text")
        attribute.save_value(item, value)
    for at, (who, text) in enumerate(told["reviews"]):
        person = get_user_model().objects.create_user(f"user{at}", first_name=who)
        review = ProductReview.objects.create(product=item, score=5 - at, title=who, body=text, user=person, status=1)
        ProductReview.objects.filter(pk=review.pk).update(date_created=WHEN)
    for other in told["others"]:
        ProductRecommendation.objects.create(primary=item, recommendation=made(other, other))
    Product.objects.update(date_created=WHEN, date_updated=WHEN)
    page = Client().get(Product.objects.get(pk=item.pk).get_absolute_url())
    assert page.status_code == 200, page.status_code
    (out / "index.html").write_bytes(page.content)


class _NoMigrations:
    """Tables are made as the models are now, which is faster than how they came to be so."""

    def __contains__(self, _name: str) -> bool:
        return True

    def __getitem__(self, _name: str) -> None:
        return None


def _configure(out: Path) -> None:
    from oscar import INSTALLED_APPS, defaults

    values = {name: value for name, value in vars(defaults).items() if name.startswith("OSCAR_")}
    settings.configure(
        **{**values, "OSCAR_SHOP_NAME": "Oxbow", "OSCAR_REQUIRED_ADDRESS_FIELDS": ()},
        DEBUG=False,
        SECRET_KEY="a benchmark has no secrets",
        ALLOWED_HOSTS=["*"],
        SITE_ID=1,
        ROOT_URLCONF="build_tools.bench.extraction.django_shop",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=INSTALLED_APPS,
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "oscar.apps.basket.middleware.BasketMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                        "oscar.apps.search.context_processors.search_form",
                        "oscar.apps.checkout.context_processors.checkout",
                        "oscar.core.context_processors.metadata",
                    ]
                },
            }
        ],
        HAYSTACK_CONNECTIONS={"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}},
        MIGRATION_MODULES=_NoMigrations(),
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        STATIC_URL="/static/",
        STATIC_ROOT=str(out / "static"),
        MEDIA_ROOT=str(out / "media"),
        MEDIA_URL="/media/",
        LANGUAGE_CODE="en-gb",
        USE_TZ=True,
    )
    django.setup()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
elif settings.configured:
    from django.apps import apps
    from django.urls import include, path

    urlpatterns = [path("i18n/", include("django.conf.urls.i18n")), path("", include(apps.get_app_config("oscar").urls[0]))]
