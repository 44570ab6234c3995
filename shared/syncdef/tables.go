package syncdef

import "strconv"

// DefinitionKeys are the keys of a definition that every destination type has, in
// the order in which people write them.
var DefinitionKeys = []Key{
	{Name: "sync", Type: KeyText, Pattern: NamePattern, Example: "customer_health", Doc: "The sync's name; the file's when left out."},
	{Name: "model", Type: KeyText, Pattern: RelationPattern, Example: "analytics.customer_health", Doc: "The table or view that the rows are read from, with its schema and database where needed; the sync's name when left out."},
	{Name: "connection", Type: KeyText, Doc: "A name in connections.yaml; the only one whose type suits when left out."},
	{Name: "destination_object", Type: KeyText, Doc: "The object that rows are written to, such as Account; the only one, where the type has one."},
	{Name: "matching_strategy", Type: KeyText, Allowed: texts(Strategies), Doc: "How a row finds its record; left out where records are not matched."},
	{Name: "match", Type: KeyObject, Keys: matchKeys, Doc: "The two sides that are compared; for email, email_domain and name the type may know a default."},
	{Name: "operation", Type: KeyText, Allowed: texts(Operations), Doc: "What is done to the records: upsert by default, or insert where nothing else is possible."},
	{Name: "record_id", Type: KeyTexts, Doc: "The columns that name a row towards people; the match column when left out."},
	{Name: "field_mappings", Type: KeyObjects, Needed: true, Keys: FieldKeys, Doc: "Which column goes to which field, in the order in which changes are told."},
	{Name: "sync_frequency", Type: KeyText, Doc: `How often it runs: hourly, daily, weekly, "every 15m", or a cron expression of five fields. penstock local acts on it, and a stack whose connections.yaml has warehouse; elsewhere it only says how late a sync is.`},
	{Name: "schedule", Type: KeyObject, Keys: scheduleKeys, Doc: "How sync_frequency is acted on."},
	{Name: "after", Type: KeyTexts, Pattern: NamePattern, Example: "companies", Doc: "Syncs that this one waits for: no run of it begins until each has succeeded, since it was due last where it has a sync_frequency, else since the last success of this one began."},
	{Name: "batch_size", Type: KeyInteger, Min: 1, Max: MaxBatchSize, Default: strconv.Itoa(DefaultBatchSize), Doc: "The most records a call; the vendor's own cap also holds."},
	{Name: "lanes", Type: KeyInteger, Min: 1, Max: MaxLanes, Doc: "How many workers may be busy with the sync at a time; 4, or the type's own default."},
	{Name: "error_handling", Type: KeyText, Allowed: texts(OnErrors), Default: string(Continue), Doc: "Whether the good rows of a run go on when others fail."},
	{Name: "on_missing", Type: KeyText, Allowed: texts(OnMissings), Doc: "What is done when matching finds no record: report by default, or create where an upsert maps what creation needs."},
	{Name: "on_delete", Type: KeyText, Allowed: texts(Removals), Doc: "What is done with the record of a row that is deleted, by operation: delete or by a row's sync_action, should_delete_from_destination or METADATA$ACTION; the type's own default when left out."},
	{Name: "on_duplicate", Type: KeyText, Allowed: texts(OnDuplicates), Default: string(Latest), Doc: "What is done with two rows of a batch that name one record."},
	{Name: "send", Type: KeyText, Allowed: texts(Sends), Default: string(SendChanged), Doc: "Which fields of a changed record are sent."},
	{Name: "retry", Type: KeyObject, Keys: retryKeys, Doc: "How a failed row is tried again by itself."},
	{Name: "store_source", Type: KeyText, Allowed: texts(StoreSources), Default: string(StoreMapped), Doc: "Which columns of a failed row are stored beside its error: none, those that the definition reads, or all."},
	{Name: "incremental", Type: KeyObject, Keys: incrementalKeys, Doc: "Selects only rows that changed since the last complete run."},
	{Name: "allow", Type: KeyObject, Keys: allowKeys, Doc: `Which warehouse roles may call the functions for this sync, written as in SQL: analyst is ANALYST, '"Analyst"' is Analyst; whoever may call them at all, when left out.`},
	{Name: "quality", Type: KeyObject, Keys: qualityKeys, Doc: "The gate: how many bad rows of the model warn, or stop a run before its first row is sent. See [quality](quality.md)."},
	{Name: "mirror", Type: KeyObject, Keys: []Key{{Name: "max_deletes", Type: KeyText, Pattern: MaxDeletesPattern, Example: "5%", Default: DefaultMaxDeletes, Doc: "The most records that one full run may remove: a percentage of those that the sync wrote and that are there, rounded down, or a number of records. A run that would remove more removes none, and says so."}}, Doc: "How much operation: mirror may remove. After a complete run of mode full, records that this sync wrote and that the model has no more are removed as on_delete says; incremental runs remove nothing."},
	{Name: "notifications", Type: KeyObjects, Keys: notificationKeys, Doc: "Who is told when something is wrong."},
	{Name: "freshness", Type: KeyObject, Keys: freshnessKeys, Doc: "How long after its last success a sync is late; by sync_frequency when left out."},
	{Name: "verify", Type: KeyObject, Keys: verifyKeys, Doc: "What of the records is read back every day and compared with what was delivered. See [verify](verify.md)."},
}

var matchKeys = []Key{
	{Name: "source", Type: KeyText, Doc: "The column."},
	{Name: "destination", Type: KeyText, Doc: "The field of the destination_object."},
	{Name: "case", Type: KeyBoolean, Doc: "Whether the field tells upper from lower case, where the type cannot know."},
	{Name: "data_type", Type: KeyText, Allowed: texts(MatchTypes), Doc: "What kind of field it is, where the type cannot know."},
}

var retryKeys = []Key{
	{Name: "attempts", Type: KeyInteger, Min: 1, Max: MaxRetryAttempts, Default: "3", Doc: "How often a row is tried in all; 1 never tries again."},
	{Name: "base", Type: KeyDuration, Min: 1, Max: MaxRetryWait, Default: "60s", Doc: "The wait that doubles with each attempt; a random part of it is waited."},
	{Name: "max", Type: KeyDuration, Min: 1, Max: MaxRetryWait, Default: "15m", Doc: "The longest wait."},
}

var allowKeys = []Key{
	{Name: "push", Type: KeyTexts, Doc: "The roles that may push, plan, begin, finish, cancel, retry and reset; nobody, when left out."},
	{Name: "errors", Type: KeyTexts, Doc: "The roles that may read what failed, source rows included; nobody, when left out."},
}

var incrementalKeys = []Key{
	{Name: "cursor", Type: KeyText, Doc: "The column that grows with every change of a row."},
	{Name: "created", Type: KeyText, With: "cursor", Doc: "A column that is set when a row is made, compared with the cursor's watermark: a new row is selected by it though its cursor is older."},
	{Name: "overlap", Type: KeyValue, With: "cursor", Example: "10m", Doc: "What is taken off the watermark, for rows that are committed late: a duration of up to 30 days where the cursor holds times, a whole number where it holds numbers. Rows within it are pushed once more, and answered unchanged where they are."},
	{Name: "include_failed", Type: KeyDuration, With: "cursor", Min: 60, Max: MaxFailed, Default: "24h", Doc: "How long a row that failed is selected again."},
	{Name: "always", Type: KeyText, Pattern: AlwaysPattern, Example: "mrr > 10000 every 24h", Doc: "Rows that are pushed and sent again though nothing changed, at most once per period: a condition over the model's columns, in the warehouse's SQL, then every and a duration of 1 minute to 1 year."},
	{Name: "order_by", Type: KeyTexts, Doc: "Which rows are pushed first: terms over the model's columns, in the warehouse's SQL, each with asc or desc behind it. It holds on the embedded DuckDB; elsewhere as far as the warehouse keeps the order of a view."},
	{Name: "stream", Type: KeyText, Pattern: RelationPattern, Example: "customer_changes", Doc: "The stream of changes that a run of mode cdc reads and consumes, or a view over it; on DuckDB a table of changes with the columns METADATA$ACTION and METADATA$ISUPDATE. Beside none of the other keys."},
	{Name: "changed_only", Type: KeyBoolean, Default: "false", Doc: "The warehouse remembers what was pushed, by a hash of the columns that the definition reads, and pushes only rows that differ: for models without a cursor."},
}

// FieldKeys are the keys of one field mapping that every destination type has.
var FieldKeys = []Key{
	{Name: "source", Type: KeyText, Or: "value", Doc: "The model's column, in any case, or a path into one that holds JSON: address.city, phones[0].number. A member that is not there is null. Either source or value is written."},
	{Name: "value", Type: KeyValue, Example: `"{{first_name}} {{last_name}}"`, Doc: "In the place of source: a constant, or a text with columns in it, each as {{column}}; null where one of them is. Numbers are written by value (12.50 is 12.5). \\{{ is {{ as text. With data_type: json it is JSON, in which a column is a value of its own or a part of a text."},
	{Name: "destination", Type: KeyText, Needed: true, Doc: "The field's name at the destination; where the type takes objects also a path into one, which is built of all its fields and sent whole: address.city, phones[0].number. A backslash before a dot or bracket makes it a part of the name. Where the type allows it, * stands for each member of an object: *, plan_*."},
	{Name: "personal", Type: KeyBoolean, Default: "false", Doc: "The value is personal data: refused unless the connection says personal: allowed."},
	{Name: "data_type", Type: KeyText, Allowed: texts(Types), Default: string(String), Doc: "What the column's value becomes. json keeps objects and lists as they are; multipicklist takes a list, or a text with ; between its values."},
	{Name: "as", Type: KeyText, For: []Type{String, JSON}, Allowed: texts(Ases), Doc: "What becomes of lists and objects. In a string, join puts a list's values behind each other, an empty list being null, and json writes them as JSON; they are refused when left out. In a json, flat lifts the members of inner objects, named outer_inner, and makes texts of lists; they are kept when left out."},
	{Name: "separator", Type: KeyText, For: []Type{String, JSON}, Doc: "What as: join puts between values, a comma and a blank when left out, and as: flat between names, _ when left out."},
	{Name: "scale", Type: KeyInteger, For: []Type{Number}, Max: MaxScale, Doc: "Digits after the point, rounded half up."},
	{Name: "min", Type: KeyDecimal, For: []Type{Number, Integer}, Doc: "The least value, inclusive."},
	{Name: "max", Type: KeyDecimal, For: []Type{Number, Integer}, Doc: "The greatest value, inclusive."},
	{Name: "values", Type: KeyValues, For: picklists, Doc: "The values that pass; any when left out."},
	{Name: "max_length", Type: KeyInteger, For: textual, Min: 1, Max: MaxLength, Doc: "The longest text, in characters as the vendor counts them."},
	{Name: "on_too_long", Type: KeyText, For: textual, Allowed: texts(TooLongs), Default: string(RejectLong), Doc: "What is done with a longer text."},
	{Name: "on_null", Type: KeyText, Allowed: texts(OnNulls), Doc: "What a null does: clear the field, which is the default, leave it alone, or send default, which is the default where one is given."},
	{Name: "default", Type: KeyValue, Doc: "What on_null: default and on_unknown: default send."},
	{Name: "on_unknown", Type: KeyText, For: picklists, Allowed: texts(OnUnknowns), Default: string(RejectUnknown), Doc: "What is done with a text that is none of values."},
	{Name: "transform", Type: KeyTexts, For: []Type{String, Email, Picklist, MultiPicklist}, Allowed: Transforms, Doc: "What is done to the text before it is checked, in order."},
	{Name: "time_zone", Type: KeyText, For: []Type{DateTime}, Example: "Europe/Berlin", Doc: "The zone of a value without one; UTC when left out."},
	{Name: "format", Type: KeyText, For: []Type{Date, DateTime}, Allowed: Formats, Doc: "What a number counts; the warehouses' own formats when left out."},
}

// textual are the types whose values are text of a length.
var textual = []Type{String, Email, Picklist}

// picklists are the types whose values may be listed.
var picklists = []Type{Picklist, MultiPicklist}

var qualityKeys = []Key{
	{Name: "warn_over", Type: KeyShare, Doc: "The share of failing rows over which a rule without its own warns: the run goes on and says so. Exactly this share is not over it. Nothing warns when left out."},
	{Name: "block_over", Type: KeyShare, Doc: "The share of failing rows over which a rule without its own stops the run before its first row is sent. A rule that has neither threshold, nor finds one here, stops at the first failing row."},
	{Name: "min_rows", Type: KeyInteger, Max: MaxQualityRows, Doc: "A model with fewer rows stops the run; an empty one goes on when left out. Judged in the warehouse, and before a mirror removes anything."},
	{Name: "rules", Type: KeyObjects, Doc: "What the values of a column must be, one kind a rule. Null passes every kind but not_null and not_empty.", Keys: []Key{
		{Name: "column", Type: KeyText, Needed: true, Doc: "The model's column, in any case."},
		{Name: string(QualityNotNull), Type: KeyBoolean, Doc: "true: null fails."},
		{Name: string(QualityNotEmpty), Type: KeyBoolean, Doc: "true: null and the text without a character fail."},
		{Name: string(QualityBetween), Type: KeyValues, Example: "[0, 1]", Doc: "The least and the greatest number, inclusive; what is no number fails."},
		{Name: string(QualityMaxLength), Type: KeyInteger, Min: 1, Max: MaxQualityLength, Doc: "The longest text, in characters."},
		{Name: string(QualityMatches), Type: KeyText, Example: `"^[^@ ]+@[^@ ]+$"`, Doc: "A regular expression that is found somewhere in the text: write ^ and $ for the whole of it. Of the syntax, what means the same in every warehouse: groups, classes, . * + ? {n,m} | ^ $, \\d \\w \\s and (?i)."},
		{Name: string(QualityIn), Type: KeyValues, Example: "[low, medium, high]", Doc: "The values that pass: numbers by value, others as text, upper and lower case told apart."},
		{Name: "warn_over", Type: KeyShare, Doc: "In place of the gate's warn_over."},
		{Name: "block_over", Type: KeyShare, Doc: "In place of the gate's block_over; 0 stops at the first failing row."},
		{Name: "count_only", Type: KeyBoolean, Default: "false", Doc: "true: failing rows are counted, and neither warn nor stop."},
	}},
}

var notificationKeys = []Key{
	{Name: "type", Type: KeyText, Needed: true, Doc: "How it is sent: email, webhook, or a destination type that posts messages."},
	{Name: "recipients", Type: KeyTexts, Doc: "The addresses of an email, at most 50."},
	{Name: "connection", Type: KeyText, Doc: "The connection that posts; the only one of the type when left out."},
	{Name: "channel", Type: KeyText, Example: "#data-alerts", Doc: "Where it posts to."},
	{Name: "secret", Type: KeyText, Default: DefaultWebhookSecret, Doc: "The secret with the url and the key of a webhook."},
	{Name: "conditions", Type: KeyTexts, Allowed: Conditions, Doc: "What it is sent for; everything but partial_failure when left out."},
}

var scheduleKeys = []Key{
	{Name: "time_zone", Type: KeyText, Example: "Europe/Berlin", Default: DefaultTimeZone, Doc: "The zone that daily, weekly and a cron expression are in. A time that the clocks leave out is left out, and one that they repeat runs once."},
	{Name: "jitter", Type: KeyDuration, Min: 1, Max: MaxJitter, Doc: "A run begins up to so long after it is due, so that not all begin at once; it must be shorter than the time between two runs. In AWS whole minutes, rounded up. At the due time, when left out."},
	{Name: "when_running", Type: KeyText, Allowed: texts(WhenRunnings), Default: string(SkipRunning), Doc: "What is done when a run is due while the last one still goes on: skip leaves it out and says so, queue runs once as soon as the other has ended."},
	{Name: "mode", Type: KeyText, Allowed: texts(ScheduleModes), Default: string(ScheduleIncremental), Doc: "The mode of penstock_run."},
}

var freshnessKeys = []Key{
	{Name: "warn_after", Type: KeyDuration, Min: 60, Max: MaxLate, Doc: "The time since the last success that warns: the greater of 2 hours and twice the interval when left out."},
	{Name: "stale_after", Type: KeyDuration, Min: 60, Max: MaxLate, Doc: "The time that is too long and raises the alert: the greater of 4 hours and 4 times the interval when left out (6 and 6 in the dashboard)."},
	{Name: "destination_field", Type: KeyText, Doc: "The field of the destination's object that holds the time of the data: how old the data there is, is counted by it."},
}

var verifyKeys = []Key{
	{Name: "sample", Type: KeyInteger, Max: MaxVerifySample, Default: strconv.Itoa(DefaultVerifySample), Doc: "How many records, drawn anew every day; 0 reads none back."},
	{Name: "missing_over", Type: KeyShare, Default: "0", Doc: "The share of records that the destination has no more over which the alert disagreement is raised."},
	{Name: "changed_over", Type: KeyShare, Default: "1%", Doc: "The share of records in which a field holds another value than was delivered, over which it is raised."},
}

// ConnectionKeys are the keys of a connection that every destination type has. The
// values of type are the types that a program knows.
var ConnectionKeys = []Key{
	{Name: "type", Type: KeyText, Needed: true, Doc: "The destination type."},
	{Name: "url", Type: KeyText, Example: "https://host", Doc: "The account's address: https, or this machine; the type's own when left out."},
	{Name: "secret", Type: KeyText, Doc: "The secret's name; the connection's when left out."},
	{Name: "personal", Type: KeyText, Allowed: []string{PersonalAllowed}, Doc: "allowed lets syncs send columns that are marked personal: true; they are refused when left out."},
	{Name: "quota", Type: KeyObject, Doc: "The share of the account's limits that all workers together may use.", Keys: []Key{
		{Name: "calls_per_day", Type: KeyInteger, Min: 1, Max: 1_000_000_000, Doc: "What the account may spend in 24 hours; the type's own when left out."},
		{Name: "share", Type: KeyInteger, Min: 1, Max: 100, Doc: "Percent of it; the type's own when left out."},
	}},
}
