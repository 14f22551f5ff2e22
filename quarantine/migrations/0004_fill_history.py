"""Fill in, for the cases that are there, what is derived from their rows from now on."""

from django.db import migrations

# As `quarantine.cases.calendars.History.told_from` says it.
HISTORY = """
    SELECT c.id, string_agg(said.number || said.what, ' ' ORDER BY said.number, said.what COLLATE "C")
        AS history
    FROM quarantine_case c
    CROSS JOIN LATERAL (
        SELECT s.day - c.day_1 + 1 AS number,
            CASE r.outcome WHEN 'negative' THEN '-' WHEN 'positive' THEN '+' ELSE '' END
            || COALESCE(trim_scale(r.ct)::text, '')
            || CASE WHEN r.id IS NULL OR reported.day = s.day THEN ''
                ELSE '@' || reported.day - c.day_1 + 1 END AS what
        FROM testing_sample s
        LEFT JOIN testing_natresult r ON r.sample_id = s.id AND r.withdrawn_at IS NULL
        CROSS JOIN LATERAL (
            SELECT (r.reported_at AT TIME ZONE 'Asia/Shanghai')::date AS day
        ) reported
        WHERE s.resident_id = c.resident_id AND s.withdrawn_at IS NULL
            AND s.day >= c.day_1 AND s.day <= COALESCE(c.closed_on, 'infinity')
        UNION ALL
        SELECT e.day - c.day_1 + 1, '!'
        FROM quarantine_event e
        WHERE e.case_id = c.id AND e.kind = 'test_missed' AND e.withdrawn_at IS NULL
    ) said
    GROUP BY c.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("quarantine", "0003_law_that_cases_follow"),
        ("testing", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE quarantine_case"
            " SET opened_under = law, told_plan_id = plan_id, told_release_on = release_on;"
            f"UPDATE quarantine_case c SET history = h.history FROM ({HISTORY}) h WHERE h.id = c.id;",
            migrations.RunSQL.noop,
        )
    ]
