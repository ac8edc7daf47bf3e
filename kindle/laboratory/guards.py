"""What keeps the laboratory's database append-only, in its own language: functions, and the triggers that call them."""

NOT_NEXT = "KD001"
NOT_CHAINED = "KD002"
APPEND_ONLY = "KD003"
NOT_FREE = "KD004"
"""SQLSTATEs of what the triggers refuse."""

_NEVER_CHANGE = f"""
BEGIN
    RAISE EXCEPTION 'kindle.% is append-only: what was written is corrected by a new row', TG_TABLE_NAME
        USING ERRCODE = '{APPEND_ONLY}';
END
"""

# The text that is hashed is kindle.canonical's: a JSON list of all fields after the hash of the row before.
_FOLLOW = f"""
DECLARE
    last_seq bigint;
    last_hash text;
    fields text;
BEGIN
    SELECT seq, hash INTO last_seq, last_hash FROM kindle.rows
        WHERE study = NEW.study AND rig = NEW.rig ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> coalesce(last_seq, 0) + 1 THEN
        RAISE EXCEPTION 'row % of rig % does not follow row %', NEW.seq, NEW.rig, coalesce(last_seq, 0)
            USING ERRCODE = '{NOT_NEXT}';
    END IF;
    fields := '[' || NEW.seq || ',' || to_json(NEW.session) || ',' || to_json(NEW.kind) || ','
        || coalesce(NEW.sample::text, 'null') || ',' || to_json(NEW.utc) || ',' || to_json(NEW.payload) || ']';
    IF NEW.hash <> encode(sha256(convert_to(coalesce(last_hash, repeat('0', 64)) || fields, 'UTF8')), 'hex') THEN
        RAISE EXCEPTION 'row % of rig % is not what its hash says', NEW.seq, NEW.rig
            USING ERRCODE = '{NOT_CHAINED}';
    END IF;
    RETURN NEW;
END
"""

_ONE_HOLDER = f"""
DECLARE
    held boolean;
    last kindle.holdings%ROWTYPE;
BEGIN
    SELECT * INTO last FROM kindle.holdings
        WHERE study = NEW.study AND animal = NEW.animal ORDER BY n DESC LIMIT 1;
    held := coalesce(last.act IN ('taken', 'taken over'), false);
    IF NEW.n <> coalesce(last.n, 0) + 1
        OR (NEW.act = 'taken' AND held)
        OR (NEW.act = 'taken over' AND (NOT held OR NEW.author = '' OR NEW.reason = ''))
        OR (NEW.act = 'released' AND (NOT held OR last.rig <> NEW.rig))
    THEN
        RAISE EXCEPTION 'animal % cannot be % by rig %: it is %', NEW.animal, NEW.act, NEW.rig,
            coalesce(last.act || ' by rig ' || last.rig, 'held by nobody') USING ERRCODE = '{NOT_FREE}';
    END IF;
    NEW.utc := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"');
    RETURN NEW;
END
"""

FUNCTIONS = {"never_change": _NEVER_CHANGE, "follow_one_another": _FOLLOW, "one_holder": _ONE_HOLDER}

TRIGGERS = {
    f"{table}_{name}": f"CREATE TRIGGER {table}_{name} BEFORE {events} ON kindle.{table} FOR EACH {each} "
    f"EXECUTE FUNCTION kindle.{function}()"
    for table, name, events, each, function in (
        ("rows", "never_change", "DELETE OR UPDATE OR TRUNCATE", "STATEMENT", "never_change"),
        ("rows", "follow_one_another", "INSERT", "ROW", "follow_one_another"),
        ("holdings", "never_change", "DELETE OR UPDATE OR TRUNCATE", "STATEMENT", "never_change"),
        ("holdings", "one_holder", "INSERT", "ROW", "one_holder"),
    )
}
"""In PostgreSQL's own spelling of a trigger, so that what is there can be compared with what should be."""
