# SPDX-License-Identifier: Apache-2.0
"""Django's ORM: python3 orm_django.py HOST PORT ACTOR SMALL PASSWORD"""
import sys

import django
from django.conf import settings

HOST, PORT, ACTOR, SMALL, PASSWORD = sys.argv[1:]


def base(user, name):
    return {"ENGINE": "django.db.backends.postgresql", "HOST": HOST,
            "PORT": PORT, "USER": user, "PASSWORD": PASSWORD, "NAME": name}


settings.configure(
    DATABASES={"default": base(ACTOR, "crm"), "small": base(SMALL, "crm"),
               "plain": base(ACTOR, "plain")},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()

from django.core.management import call_command		# noqa: E402
from django.db import (DatabaseError, IntegrityError, connections, models,
                       transaction)			# noqa: E402


class Customer(models.Model):
    customer_id = models.IntegerField(primary_key=True)
    name = models.TextField()
    birth_date = models.DateField(null=True)
    country = models.TextField()

    class Meta:
        app_label, db_table, managed = "work", "customers", False


class Order(models.Model):
    order_id = models.IntegerField(primary_key=True)
    customer = models.ForeignKey(Customer, models.CASCADE)
    total = models.DecimalField(max_digits=20, decimal_places=2)
    note = models.TextField()

    class Meta:
        app_label, db_table, managed = "work", "orders", False


def ok(yes, what):
    if not yes:
        sys.exit(what)


ok(len(Customer.objects.get(pk=5).name) == 8, "get")
ok(Customer.objects.filter(pk__lte=0).exists() is False, "exists")
ok(Order.objects.filter(customer__country="JP").count() == 500, "join, count")
rows = list(Order.objects.select_related("customer").filter(pk__lt=50))
ok(len(rows) == 49 and all(len(x.customer.name) == 8 for x in rows),
   "select_related")
rows = list(Customer.objects.prefetch_related("order_set").filter(pk__lt=20))
ok(len(rows) == 19 and rows[0].order_set.count() == 2, "prefetch_related")
ok(len(list(Order.objects.values("customer__country").annotate(
    n=models.Count("pk"), s=models.Sum("total")))) == 4, "annotate")
ok(sum(1 for _ in Customer.objects.all().iterator(chunk_size=100)) == 1000,
   "iterator")
try:
    with transaction.atomic():
        o = Order.objects.create(order_id=90002, customer_id=1, total=1,
                                 note="\u7c73")
        o.note = "x"
        o.save()
        Order.objects.bulk_create(
            Order(order_id=91000 + i, customer_id=1, total=1, note="")
            for i in range(300))
        ok(Order.objects.filter(pk__gte=91000).update(note="y") == 300,
           "update")
        try:
            with transaction.atomic():
                Order.objects.create(order_id=1, customer_id=1, total=1)
            ok(False, "no error")
        except IntegrityError as e:
            ok(e.__cause__.pgcode == "23505", str(e))
        Order.objects.select_for_update().get(pk=90002).delete()
        raise KeyError
except KeyError:
    ok(Order.objects.count() == 2000, "rollback")
try:
    list(Customer.objects.using("small").all())
    ok(False, "a short result")
except DatabaseError as e:
    ok(e.__cause__.pgcode == "KB001", str(e))
with connections["default"].cursor() as c:
    seen = connections["default"].introspection
    ok("customers" in seen.table_names(c), "table_names")
    ok(len(seen.get_table_description(c, "customers")) == 13, "description")
    ok(len(seen.get_constraints(c, "orders")) >= 2, "constraints")
# Definitions, on the open database.
call_command("migrate", database="plain", verbosity=0)
from django.contrib.auth.models import User		# noqa: E402
User.objects.using("plain").create(username="\u8535\u756a")
ok(User.objects.using("plain").get(username="\u8535\u756a").pk == 1, "plain")
print("Django " + django.get_version())
