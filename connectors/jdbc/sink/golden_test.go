package sink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/converter"
)

// goldenCase is one recording of the Java connector.
type goldenCase struct {
	Name     string
	DB       string
	Topics   []struct{ Name string }
	SetupSQL []string           `json:"setup_sql"`
	Config   map[string]*string `json:"connector_config"`
	Records  []goldenRecord
	Steps    []map[string]json.RawMessage
	Tables   []string
	Mask     map[string][]string
	Order    string            `json:"column_order"`
	DLQ      string            `json:"dlq"`
	Loose    map[string]string `json:"dlq_loose"`
	Expect   goldenExpect
}

type goldenRecord struct {
	Topic      string
	Partition  int32
	Key, Value *string
}

type goldenExpect struct {
	State struct {
		Tasks []string
	}
	Tables       map[string]goldenTable
	Trace        []string `json:"trace_contains"`
	DLQ          []goldenDead
	CreateStatus int    `json:"create_status"`
	CreateError  string `json:"create_error"`
}

type goldenTable struct {
	Columns []goldenColumn
	Rows    [][]any
}

type goldenColumn struct {
	Name     string
	Type     string
	Nullable bool
	Default  *string
	PK       bool
}

type goldenDead struct {
	Key, Value *string
	Headers    []goldenHeader
}

type goldenHeader struct {
	Key   string
	Value *string
}

// difference is a case in which this connector behaves otherwise on purpose.
type difference struct {
	Row    string
	Expect json.RawMessage
}

// notForTask are the cases that are about the worker, the REST API or the
// consumer, and are replayed against a whole worker elsewhere.
var notForTask = map[string]string{
	"config-dlq-is-input-topic":      "the worker's validation",
	"config-topics-and-regex":        "the worker's validation",
	"consumer-override-latest":       "the consumer's settings",
	"dlq-replication-factor-default": "the worker's dead letter topic",
	"pause-resume":                   "the worker's states",
	"rewind-offsets-replays":         "the worker's offsets",
	"topics-regex":                   "the consumer's subscription",
}

func TestGolden(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "test", "testdata", "golden")
	if d := os.Getenv("KCONNECT_GOLDEN_DIR"); d != "" {
		dir = d
	}
	files, err := filepath.Glob(filepath.Join(dir, "jdbc-sink", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	differences := readDifferences(t)
	var passed, failed, skipped, later int
	for i, file := range files {
		c := readCase(t, file)
		if notForTask[c.Name] != "" {
			later++
			continue
		}
		skips := false
		ok := t.Run(c.Name, func(t *testing.T) {
			defer func() { skips = t.Skipped() }()
			if d, differs := differences["jdbc-sink/"+c.Name]; differs {
				if err := json.Unmarshal(d.Expect, &c.Expect); err != nil {
					t.Fatal(err)
				}
			}
			run := &goldenRun{t: t, c: c, prefix: fmt.Sprintf("rd_%d_", i)}
			run.replay()
		})
		switch {
		case skips:
			skipped++
		case ok:
			passed++
		default:
			failed++
		}
	}
	fmt.Printf("golden jdbc-sink: %d passed, %d failed, %d a matter of the whole worker, %d skipped without a server\n", passed, failed, later, skipped)
}

func readCase(t *testing.T, file string) *goldenCase {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &goldenCase{}
	if err := json.Unmarshal(text, c); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return c
}

// readDifferences reads our expectations for the cases that read differently
// on purpose. An expectation replaces the members of the case's that it has.
func readDifferences(t *testing.T) map[string]difference {
	t.Helper()
	all := map[string]difference{}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "test", "testdata", "golden", "differences.json"))
	if errors.Is(err, os.ErrNotExist) {
		return all
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// goldenRun replays one case against a task, without Kafka and worker.
type goldenRun struct {
	t        *testing.T
	c        *goldenCase
	prefix   string
	d        *testDatabase
	replace  *strings.Replacer
	settings config.Map
	task     *taskTest
	reporter *deadLetters
	key, val connect.Converter
	offsets  map[connect.TopicPartition]int64
	produced int
	pending  []connect.Record
	raw      []goldenRecord // of pending
	dead     []goldenDead
	failure  error // of the task
}

func (g *goldenRun) replay() {
	switch g.c.DB {
	case "sqlite":
		g.d = sqliteDB(g.t)
	case "postgres":
		g.d = postgresDB(g.t)
	default:
		g.d = mariaDB(g.t)
	}
	url := g.d.config["connection.url"]
	g.replace = strings.NewReplacer("${p}", g.prefix, "${connector}", "c", "${db.name}", g.d.name, "${jdbc.url}", url,
		"${jdbc.url.mysql}", strings.Replace(url, "jdbc:mariadb:", "jdbc:mysql:", 1))
	g.offsets = map[connect.TopicPartition]int64{}
	for _, s := range g.c.SetupSQL {
		g.d.exec(g.t, g.sub(s))
	}
	g.configure()
	if g.c.Expect.CreateStatus == 0 {
		if faults := g.validate(); len(faults) > 0 {
			g.t.Fatalf("the configuration was refused: %q", faults)
		}
	} else {
		g.checkRefusal()
		return
	}
	g.produce(g.c.Records)
	if !slices.ContainsFunc(g.c.Steps, func(s map[string]json.RawMessage) bool { return s["create"] != nil }) {
		g.start()
	}
	for _, s := range g.c.Steps {
		g.step(s)
	}
	g.deliver()
	g.check()
}

func (g *goldenRun) sub(s string) string { return g.replace.Replace(s) }

func (g *goldenRun) configure() {
	g.settings = config.Map{"name": "c"}
	for k, v := range g.c.Config {
		if v != nil {
			g.settings[k] = g.sub(*v)
		}
	}
	for k, v := range g.d.config {
		if _, set := g.c.Config[k]; !set {
			g.settings[k] = v
		}
	}
}

func (g *goldenRun) validate() []string {
	results := (&Connector{}).ValidateConfig(g.t.Context(), g.settings, answers(g.settings))
	var faults []string
	for _, r := range results {
		faults = append(faults, r.Errors...)
	}
	return faults
}

func (g *goldenRun) checkRefusal() {
	lines := strings.Split(g.sub(g.c.Expect.CreateError), "\n")
	want := lines[1 : len(lines)-1]
	if diff := cmp.Diff(want, g.validate()); diff != "" {
		g.t.Error(diff)
	}
}

// start makes converters, transformations' stand-in and task.
func (g *goldenRun) start() {
	g.key, g.val = g.converter("key"), g.converter("value")
	g.reporter = nil
	if g.settings["errors.deadletterqueue.topic.name"] != "" || g.settings["errors.log.enable"] == "true" {
		g.reporter = &deadLetters{tolerant: g.settings["errors.tolerance"] == "all"}
	}
	g.task = startTask(g.t, &testDatabase{config: g.settings}, g.reporter, nil)
	g.failure = nil
	g.deliver()
}

func (g *goldenRun) converter(part string) connect.Converter {
	class := g.settings[part+".converter"]
	if class == "" {
		class = "org.apache.kafka.connect.json.JsonConverter"
	}
	m := g.settings.WithPrefix(part + ".converter.")
	m["kconnect.converter.coercion"] = "java" // D1 is the converters' difference, and this its switch
	for _, p := range converter.Plugins() {
		if p.Class != class || p.Kind != connect.ConverterPlugin {
			continue
		}
		c := p.New().(connect.Converter)
		if err := c.Configure(m, part == "key"); err != nil {
			g.t.Fatal(err)
		}
		return c
	}
	g.t.Fatalf("no converter %s", class)
	return nil
}

func (g *goldenRun) produce(records []goldenRecord) {
	for _, r := range records {
		r.Topic = g.sub(r.Topic)
		if r.Topic == "" {
			r.Topic = g.sub(g.c.Topics[0].Name)
		}
		tp := connect.TopicPartition{Topic: r.Topic, Partition: r.Partition}
		offset := g.offsets[tp]
		g.offsets[tp]++
		g.pending = append(g.pending, connect.Record{
			Topic: r.Topic, Partition: r.Partition, Timestamp: 1700000000000 + int64(g.produced),
			Origin: connect.Origin{Topic: r.Topic, Partition: r.Partition, Offset: offset, TimestampType: "CreateTime"},
		})
		g.raw = append(g.raw, r)
		g.produced++
	}
}

// deliver converts what is pending as the worker does and puts it in one
// delivery. A fault leaves the records pending, as offsets would.
func (g *goldenRun) deliver() {
	if g.task == nil || g.failure != nil || len(g.pending) == 0 {
		return
	}
	var records []connect.Record
	tolerant := g.settings["errors.tolerance"] == "all"
	queue := g.settings["errors.deadletterqueue.topic.name"] != ""
	for i := range g.pending {
		r := g.pending[i]
		stage, class, err := g.convert(&r, g.raw[i])
		if err == nil {
			r.Origin.Index = i
			records = append(records, r)
			continue
		}
		if queue {
			g.bury(&g.pending[i], g.raw[i], stage, class, err)
		}
		if !tolerant {
			g.failure = connect.NewError("Tolerance exceeded in error handler", err)
			return
		}
	}
	if err := g.put(records); err != nil {
		g.failure = connect.NewError("Exiting WorkerSinkTask due to unrecoverable exception.", err)
		return
	}
	g.pending, g.raw = nil, nil
}

func (g *goldenRun) convert(r *connect.Record, raw goldenRecord) (stage, class string, err error) {
	if r.KeySchema, r.Key, err = g.key.Decode(r.Topic, textBytes(g.subPointer(raw.Key))); err != nil {
		return "KEY_CONVERTER", g.settings["key.converter"], err
	}
	if r.ValueSchema, r.Value, err = g.val.Decode(r.Topic, textBytes(g.subPointer(raw.Value))); err != nil {
		return "VALUE_CONVERTER", "org.apache.kafka.connect.json.JsonConverter", err
	}
	if to := g.settings["transforms.r.replacement"]; to != "" { // the one transformation of the cases: RegexRouter of everything
		r.Topic = to
	}
	return "", "", nil
}

func (g *goldenRun) subPointer(s *string) *string {
	if s == nil {
		return nil
	}
	v := g.sub(*s)
	return &v
}

func textBytes(s *string) []byte {
	if s == nil {
		return nil
	}
	return []byte(*s)
}

// put hands over a delivery, again while the error is retriable. Steps of a
// case that were to happen meanwhile happen after the first attempt.
func (g *goldenRun) put(records []connect.Record) error {
	var before int
	if g.reporter != nil {
		before = len(g.reporter.records)
	}
	err := g.task.Put(g.t.Context(), records)
	for attempt := 0; err != nil && connect.KindOf(err) == connect.Retriable; attempt++ {
		if attempt == 1 {
			for len(g.c.Steps) > 0 {
				s := g.c.Steps[0]
				g.c.Steps = g.c.Steps[1:]
				if s["sql"] != nil {
					g.step(s)
				}
			}
		}
		err = g.task.Put(g.t.Context(), records)
	}
	if g.reporter != nil && g.settings["errors.deadletterqueue.topic.name"] != "" {
		for i, r := range g.reporter.records[before:] {
			g.bury(r, g.raw[r.Origin.Index], "TASK_PUT", "org.apache.kafka.connect.sink.SinkTask", g.reporter.errs[before+i])
		}
	}
	return err
}

// bury makes the dead letter of a record, with the context headers.
func (g *goldenRun) bury(r *connect.Record, raw goldenRecord, stage, class string, err error) {
	d := goldenDead{Key: g.subPointer(raw.Key), Value: g.subPointer(raw.Value), Headers: []goldenHeader{}}
	if g.settings["errors.deadletterqueue.context.headers.enable"] == "true" {
		first, _, _ := strings.Cut(connect.Trace(err), "\n")
		for _, h := range [][2]string{
			{"topic", r.Origin.Topic}, {"partition", strconv.Itoa(int(r.Origin.Partition))}, {"offset", strconv.FormatInt(r.Origin.Offset, 10)},
			{"connector.name", "c"}, {"task.id", "0"}, {"stage", stage}, {"class.name", class},
			{"exception.class.name", connect.ClassOf(err)}, {"exception.message", connect.MessageOf(err)}, {"exception.stacktrace", first},
		} {
			d.Headers = append(d.Headers, goldenHeader{"__connect.errors." + h[0], &h[1]})
		}
	}
	g.dead = append(g.dead, d)
}

func (g *goldenRun) step(s map[string]json.RawMessage) {
	unmarshal := func(name string, into any) {
		if err := json.Unmarshal(s[name], into); err != nil {
			g.t.Fatalf("step %s: %v", name, err)
		}
	}
	switch {
	case s["create"] != nil:
		g.start()
	case s["produce"] != nil:
		var records []goldenRecord
		unmarshal("produce", &records)
		g.produce(records)
		g.deliver()
	case s["sql"] != nil:
		var statements []string
		unmarshal("sql", &statements)
		for _, text := range statements {
			g.d.exec(g.t, g.sub(text))
		}
	case s["rest"] != nil: // the one that matters to a task: it is restarted
		g.start()
	}
}

func (g *goldenRun) check() {
	want := "RUNNING"
	if slices.Contains(g.c.Expect.State.Tasks, "FAILED") {
		want = "FAILED"
	}
	switch {
	case want == "RUNNING" && g.failure != nil:
		g.t.Errorf("the task failed: %s", connect.Trace(g.failure))
	case want == "FAILED" && g.failure == nil:
		g.t.Error("the task did not fail")
	case want == "FAILED":
		trace := connect.Trace(g.failure)
		for _, part := range g.c.Expect.Trace {
			if part = g.sub(part); !strings.Contains(trace, part) {
				g.t.Errorf("trace lacks %q:\n%s", part, trace)
			}
		}
	}
	if diff := cmp.Diff(g.expectedTables(), g.tables()); diff != "" {
		g.t.Errorf("tables (-recorded +got):\n%s", diff)
	}
	g.checkDead()
}

func (g *goldenRun) checkDead() {
	var want []goldenDead
	g.resub(g.c.Expect.DLQ, &want)
	for _, list := range [][]goldenDead{want, g.dead} {
		for i := range list {
			d := &list[i]
			d.Headers = slices.DeleteFunc(d.Headers, func(h goldenHeader) bool {
				return !strings.HasPrefix(h.Key, "__connect.errors.") // the record's own, which the worker keeps
			})
			for j := range d.Headers {
				h := &d.Headers[j]
				if part, loose := g.c.Loose[h.Key]; loose && h.Value != nil && strings.Contains(*h.Value, part) {
					text := "<contains " + part + ">"
					h.Value = &text
				}
			}
		}
	}
	sortByText(want)
	sortByText(g.dead)
	if diff := cmp.Diff(want, g.dead, cmpEmpty); diff != "" {
		g.t.Errorf("dead letters (-recorded +got):\n%s", diff)
	}
}

// cmpEmpty takes a nil slice for an empty one.
var cmpEmpty = cmp.FilterValues(func(a, b []goldenDead) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore())

// resub copies a value with the placeholders replaced.
func (g *goldenRun) resub(from, into any) {
	text, err := json.Marshal(from)
	if err != nil {
		g.t.Fatal(err)
	}
	quoted, err := json.Marshal(g.d.name)
	if err != nil {
		g.t.Fatal(err)
	}
	s := strings.ReplaceAll(string(text), "${db.name}", strings.Trim(string(quoted), `"`))
	if err := json.Unmarshal([]byte(g.sub(s)), into); err != nil {
		g.t.Fatal(err)
	}
}

func (g *goldenRun) expectedTables() map[string]goldenTable {
	want := map[string]goldenTable{}
	g.resub(g.c.Expect.Tables, &want)
	for name, table := range want {
		want[name] = g.normal(name, table)
	}
	return want
}

func (g *goldenRun) tables() map[string]goldenTable {
	var all map[string]goldenTable
	switch g.d.kind {
	case "sqlite":
		all = g.d.sqliteTables(g.t)
	case "postgres":
		all = g.d.postgresTables(g.t)
	default:
		all = g.d.mariaTables(g.t)
	}
	for name := range all {
		if g.c.Tables != nil && !slices.Contains(g.c.Tables, name) {
			delete(all, name)
			continue
		}
		all[name] = g.normal(name, all[name])
	}
	return all
}

// normal masks and sorts a table as the recordings are.
func (g *goldenRun) normal(name string, t goldenTable) goldenTable {
	order := make([]int, len(t.Columns))
	for i := range order {
		order[i] = i
	}
	if g.c.Order == "any" {
		sort.Slice(order, func(a, b int) bool { return t.Columns[order[a]].Name < t.Columns[order[b]].Name })
	}
	out := goldenTable{Rows: [][]any{}}
	for _, i := range order {
		out.Columns = append(out.Columns, t.Columns[i])
	}
	for _, row := range t.Rows {
		sorted := make([]any, len(order))
		for to, from := range order {
			sorted[to] = row[from]
			if row[from] != nil && slices.Contains(g.c.Mask[name], t.Columns[from].Name) {
				sorted[to] = "<masked>"
			}
		}
		out.Rows = append(out.Rows, sorted)
	}
	sortByText(out.Rows)
	return out
}

func sortByText[T any](list []T) {
	texts := func(v T) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return b
	}
	slices.SortStableFunc(list, func(a, b T) int { return bytes.Compare(texts(a), texts(b)) })
}

func (d *testDatabase) mariaTables(t *testing.T) map[string]goldenTable {
	all := map[string]goldenTable{}
	selects := map[string][]string{}
	for _, r := range d.query(t, `SELECT c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE, c.IS_NULLABLE, c.COLUMN_DEFAULT, c.COLUMN_KEY, c.EXTRA, c.DATA_TYPE
		FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING(TABLE_SCHEMA, TABLE_NAME)
		WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION`, d.name) {
		name, column := r[0].(string), r[1].(string)
		c := goldenColumn{Name: column, Type: r[2].(string), Nullable: r[3] == "YES", PK: r[5] == "PRI"}
		var words []string
		if s, ok := r[4].(string); ok && !strings.EqualFold(s, "NULL") {
			words = append(words, s)
		}
		if s := r[6].(string); s != "" {
			words = append(words, s)
		}
		if len(words) > 0 {
			text := strings.Join(words, " ")
			c.Default = &text
		}
		table := all[name]
		table.Columns = append(table.Columns, c)
		all[name] = table
		q := "`" + column + "`"
		expression := "CAST(" + q + " AS CHAR)"
		if kind := r[7].(string); strings.Contains(kind, "binary") || strings.Contains(kind, "blob") {
			expression = "IF(" + q + " IS NULL, NULL, CONCAT('hex:', HEX(" + q + ")))"
		}
		selects[name] = append(selects[name], expression)
	}
	for name, expressions := range selects {
		table := all[name]
		table.Rows = d.query(t, "SELECT "+strings.Join(expressions, ",")+" FROM `"+name+"`")
		all[name] = table
	}
	return all
}

// postgresTables shows the tables of the schema public by their names alone.
func (d *testDatabase) postgresTables(t *testing.T) map[string]goldenTable {
	all := map[string]goldenTable{}
	selects, from := map[string][]string{}, map[string]string{}
	for _, r := range d.query(t, `SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		pg_get_expr(d.adbin, d.adrelid), coalesce(a.attnum = ANY(i.indkey), false)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
		LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
		WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
		ORDER BY n.nspname, c.relname, a.attnum`) {
		schema, name, column := r[0].(string), r[1].(string), r[2].(string)
		key := name
		if schema != "public" {
			key = schema + "." + name
		}
		c := goldenColumn{Name: column, Type: r[3].(string), Nullable: r[4] == "false", PK: r[6] == "true"}
		if s, ok := r[5].(string); ok {
			c.Default = &s
		}
		table := all[key]
		table.Columns = append(table.Columns, c)
		all[key] = table
		selects[key] = append(selects[key], pgx.Identifier{column}.Sanitize()+"::text")
		from[key] = pgx.Identifier{schema, name}.Sanitize()
	}
	for key, expressions := range selects {
		table := all[key]
		table.Rows = d.query(t, "SELECT "+strings.Join(expressions, ",")+" FROM "+from[key])
		all[key] = table
	}
	return all
}

func (d *testDatabase) sqliteTables(t *testing.T) map[string]goldenTable {
	all := map[string]goldenTable{}
	for _, n := range d.query(t, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
		name := n[0].(string)
		var table goldenTable
		var expressions []string
		for _, r := range d.query(t, "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info(?)", name) {
			c := goldenColumn{Name: r[0].(string), Type: r[1].(string), Nullable: r[2] == "0", PK: r[4] != "0"}
			if s, ok := r[3].(string); ok {
				c.Default = &s
			}
			table.Columns = append(table.Columns, c)
			q := `"` + c.Name + `"`
			expressions = append(expressions, "typeof("+q+")", "CASE typeof("+q+") WHEN 'blob' THEN lower(hex("+q+")) ELSE "+q+" END")
		}
		table.Rows = [][]any{}
		for _, r := range d.query(t, "SELECT "+strings.Join(expressions, ",")+" FROM \""+name+"\"") {
			row := make([]any, len(r)/2)
			for i := range row {
				if r[2*i] != "null" {
					row[i] = r[2*i].(string) + ":" + r[2*i+1].(string)
				}
			}
			table.Rows = append(table.Rows, row)
		}
		all[name] = table
	}
	return all
}
