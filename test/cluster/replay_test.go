package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kconnect/test/harness"
)

// scenario is a file of recorded requests and answers of a Java worker.
type scenario struct {
	Vars       map[string]string
	Connectors []string // deleted before and after
	Steps      []step
}

// step is a request with its recorded answer, a statement for the database, or a file.
type step struct {
	Name string

	Do              string            // method and path
	Headers         map[string]string //
	JSON            json.RawMessage   // body
	Body            *string           // body as it is
	Until           []condition       // what to wait for before the answer is compared
	Message         string            // how the member "message" is compared: exactly, "contains" or "any"
	MessageContains []string          `json:"message_contains"`
	Unordered       []string          // paths of arrays whose order does not count
	Ignore          []string          // paths of values that are not compared
	Pick            *pick
	Filter          string // expression for the members of the outermost array or object that are compared
	BodyAny         bool   `json:"body_any"`
	StatusOnly      bool   `json:"status_only"`

	SQL       string
	UntilRows *int `json:"until_rows"`

	File    string
	Content string
	Append  bool

	Expect *expectation
}

type condition struct {
	Status int
	Path   string
	Is     any
}

// pick narrows an array to the elements whose member key is one of the values.
type pick struct {
	Path, Key string
	Values    []string
}

type expectation struct {
	Status  int
	Headers map[string]*string
	JSON    any
	Text    *string
	Rows    [][]string
}

// player sends the requests of scenarios to one worker.
type player struct {
	worker *harness.Connect
	client *http.Client
	vars   map[string]string
}

// play runs one scenario.
func play(t *testing.T, w *harness.Connect, file string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := &player{worker: w, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	_, run, _ := strings.Cut(harness.Name("run"), "_")
	p.vars = map[string]string{"RUN": run, "BASE": w.URL, "WORKDIR": t.TempDir()}
	var db *harness.Database
	if strings.Contains(string(raw), `"sql"`) {
		db = harness.MariaDB(t)
		p.vars["DB"], p.vars["JDBC_URL"], p.vars["DB_USER"], p.vars["DB_PASSWORD"] = db.Name, db.JDBC(), db.User, db.Password
	}
	var head struct{ Vars map[string]string }
	if err := json.Unmarshal(raw, &head); err != nil {
		t.Fatal(err)
	}
	for name, value := range head.Vars {
		p.vars[name] = p.fill(value)
	}
	var s scenario
	if err := json.Unmarshal([]byte(p.fill(string(raw))), &s); err != nil {
		t.Fatal(err)
	}
	ours := differences(t)
	for i := range s.Steps {
		if want, differs := ours[fmt.Sprintf("rest/%s/%d", strings.TrimSuffix(filepath.Base(file), ".json"), i)]; differs {
			s.Steps[i].Expect.JSON = want
		}
	}
	p.remove(t, s.Connectors)
	defer p.remove(t, s.Connectors)
	for i, st := range s.Steps {
		var fault string
		switch {
		case st.Do != "":
			fault = p.request(t, &st)
		case st.SQL != "":
			fault = statement(t, db, &st)
		case st.File != "":
			if err := write(&st); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("step %d is of an unknown kind", i)
		}
		if fault != "" {
			t.Errorf("step %d, %s%s (%s): %s", i, st.Do, st.SQL, st.Name, fault)
		}
	}
}

// differences returns the bodies of answers that differ on purpose from recorded ones, by scenario and step.
func differences(t *testing.T) map[string]any {
	t.Helper()
	raw, err := os.ReadFile("../testdata/golden/differences.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Expect json.RawMessage
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	bodies := make(map[string]any)
	for name, d := range all {
		var want struct{ JSON any }
		if !strings.HasPrefix(name, "rest/") {
			continue
		}
		if err := json.Unmarshal(d.Expect, &want); err != nil {
			t.Fatal(err)
		}
		bodies[name] = want.JSON
	}
	return bodies
}

// fill puts the values in for ${NAME}.
func (p *player) fill(text string) string {
	return variable.ReplaceAllStringFunc(text, func(ref string) string {
		if value, ok := p.vars[ref[2:len(ref)-1]]; ok {
			return value
		}
		return ref
	})
}

var variable = regexp.MustCompile(`\$\{[A-Z_]+\}`)

func (p *player) remove(t *testing.T, connectors []string) {
	t.Helper()
	for _, name := range connectors {
		harness.Eventually(t, "connector "+name+" is gone", func() (bool, string) {
			status, _, body := p.worker.Do(t, http.MethodDelete, "/connectors/"+url.PathEscape(name), "")
			return status == http.StatusNotFound, fmt.Sprintf("%d %s", status, body)
		})
	}
}

func write(s *step) error {
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if s.Append {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(s.File, flags, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(s.Content); err != nil {
		return err
	}
	return f.Close()
}

func statement(t *testing.T, db *harness.Database, s *step) string {
	t.Helper()
	if s.UntilRows == nil {
		db.Exec(t, s.SQL)
		return ""
	}
	var rows [][]string
	harness.Eventually(t, s.SQL, func() (bool, string) {
		// The sink may not have made the table yet.
		_, table, _ := strings.Cut(s.SQL, db.Name+".")
		if table, _, _ = strings.Cut(table, " "); db.Count(t, table) < 0 {
			return false, "no table " + table
		}
		rows = db.Query(t, s.SQL)
		return len(rows) == *s.UntilRows, fmt.Sprint(rows)
	})
	if want := s.Expect.Rows; fmt.Sprint(rows) != fmt.Sprint(want) {
		return fmt.Sprintf("rows %v, want %v", rows, want)
	}
	return ""
}

// answer is what a worker answered, and its body read as JSON, if it is that.
type answer struct {
	status int
	header http.Header
	text   string
	json   any
	isJSON bool
}

// request sends a step until its conditions hold, and says how the answer differs from the recorded one.
func (p *player) request(t *testing.T, s *step) string {
	t.Helper()
	var fault string
	harness.Eventually(t, s.Do+" until "+fmt.Sprint(s.Until), func() (bool, string) {
		a := p.send(t, s)
		if putOff(a.status, a.text) && s.Expect.Status != a.status {
			return false, a.text
		}
		for _, c := range s.Until {
			if !c.holds(&a) {
				return false, fmt.Sprintf("%d %s", a.status, a.text)
			}
		}
		if a.isJSON {
			a.json = s.narrow(a.json)
		}
		fault = s.differs(&a)
		// A restart is carried out after it is answered, by a Java worker too, so the next one may still see it under way. Asked
		// to restart only what failed, it changes nothing.
		return fault == "" || !strings.Contains(s.Do, "onlyFailed=true"), fault
	})
	return fault
}

func (p *player) send(t *testing.T, s *step) answer {
	t.Helper()
	method, path, _ := strings.Cut(s.Do, " ")
	var body io.Reader
	switch {
	case s.JSON != nil:
		body = strings.NewReader(string(s.JSON))
	case s.Body != nil:
		body = strings.NewReader(*s.Body)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, p.worker.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if s.JSON != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range s.Headers {
		request.Header.Set(name, value)
	}
	response, err := p.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	a.isJSON = json.Unmarshal(text, &a.json) == nil
	return a
}

func (c condition) holds(a *answer) bool {
	if c.Status != 0 {
		return a.status == c.Status
	}
	v, ok := dig(a.json, c.Path)
	return ok && same(nil, nil, c.Is, v) == ""
}

// dig follows a path of member names and indexes, "#" for the length, through v.
func dig(v any, path string) (any, bool) {
	separator := "."
	if strings.Contains(path, "/") {
		separator = "/"
	}
	for part := range strings.SplitSeq(path, separator) {
		switch in := v.(type) {
		case map[string]any:
			if part == "#" {
				v = float64(len(in))
				continue
			}
			member, ok := in[part]
			if !ok {
				return nil, false
			}
			v = member
		case []any:
			if part == "#" {
				v = float64(len(in))
				continue
			}
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(in) {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// narrow leaves of an answer what is compared.
func (s *step) narrow(v any) any {
	if s.Filter != "" {
		wanted := regexp.MustCompile(s.Filter)
		switch in := v.(type) {
		case []any:
			v = slices.DeleteFunc(in, func(x any) bool {
				text, isText := x.(string)
				if !isText {
					b, err := json.Marshal(x)
					text = string(b) + fmt.Sprint(err)
				}
				return !wanted.MatchString(text)
			})
		case map[string]any:
			for name := range in {
				if !wanted.MatchString(name) {
					delete(in, name)
				}
			}
		}
	}
	if holder, ok := v.(map[string]any); ok && s.Pick != nil {
		if all, ok := holder[s.Pick.Path].([]any); ok {
			holder[s.Pick.Path] = slices.DeleteFunc(all, func(x any) bool {
				value, _ := dig(x, s.Pick.Key)
				name, _ := value.(string)
				return !slices.Contains(s.Pick.Values, name)
			})
		}
	}
	return v
}

// differs compares an answer with the recorded one; it returns "" when they are alike.
func (s *step) differs(a *answer) string {
	if a.status != s.Expect.Status {
		return fmt.Sprintf("status %d, want %d; body %s", a.status, s.Expect.Status, a.text)
	}
	if s.StatusOnly {
		return ""
	}
	for name, want := range s.Expect.Headers {
		got := a.header.Get(name)
		if want == nil {
			if got != "" {
				return fmt.Sprintf("header %s is %q, want none", name, got)
			}
			continue
		}
		alike := same(nil, nil, *want, got) == ""
		switch name {
		case "Allow":
			alike = slices.Equal(slices.Sorted(strings.SplitSeq(strings.ReplaceAll(got, " ", ""), ",")), slices.Sorted(strings.SplitSeq(strings.ReplaceAll(*want, " ", ""), ",")))
		case "Content-Type": // its parameters may differ
			gotType, _, _ := strings.Cut(got, ";")
			wantType, _, _ := strings.Cut(*want, ";")
			alike = strings.EqualFold(gotType, wantType)
		}
		if !alike {
			return fmt.Sprintf("header %s is %q, want %q", name, got, *want)
		}
	}
	switch {
	case s.BodyAny:
		return ""
	case s.Expect.Text != nil:
		if fault := same(nil, nil, *s.Expect.Text, a.text); fault != "" {
			return "body" + fault
		}
		return ""
	case !a.isJSON:
		return fmt.Sprintf("body %q, want JSON", a.text)
	}
	want := s.Expect.JSON
	if s.Message != "" {
		got, ok := a.json.(map[string]any)
		message, isText := got["message"].(string)
		if !ok || !isText {
			return "body " + a.text + ", want a message"
		}
		for _, part := range s.MessageContains {
			if s.Message == "contains" && !strings.Contains(message, part) {
				return fmt.Sprintf("message %q, want %q in it", message, part)
			}
		}
		want.(map[string]any)["message"] = message
	}
	return same(s, nil, want, a.json)
}

// matches says whether path, the names and indexes from the root, is one of patterns such as "$.configs.*.value".
func matches(patterns, path []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		parts := strings.Split(pattern, ".")[1:]
		return slices.EqualFunc(parts, path, func(part, name string) bool { return part == "*" || part == name })
	})
}

// same says where got differs from what was recorded, which may hold placeholders. It returns "" when they are alike.
func same(s *step, path []string, want, got any) string {
	if s != nil && (matches(s.Ignore, path) || len(path) > 0 && path[len(path)-1] == "documentation") {
		return ""
	}
	at := func(part any) []string { return append(slices.Clone(path), fmt.Sprint(part)) }
	fault := fmt.Sprintf(" $.%s is %s, want %s", strings.Join(path, "."), short(got), short(want))
	switch w := want.(type) {
	case string:
		if kind, ok := strings.CutPrefix(w, "<<"); ok && strings.HasSuffix(kind, ">>") {
			if placeholder(strings.TrimSuffix(kind, ">>"), got) {
				return ""
			}
			return fault
		}
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fault
		}
		for name := range g {
			if _, ok := w[name]; !ok {
				return fmt.Sprintf(" $.%s.%s is there: %s", strings.Join(path, "."), name, short(g[name]))
			}
		}
		for name := range w {
			v, ok := g[name]
			if !ok && name != "documentation" {
				return fmt.Sprintf(" $.%s.%s is missing", strings.Join(path, "."), name)
			}
			if fault := same(s, at(name), w[name], v); fault != "" {
				return fault
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fault
		}
		left := slices.Clone(g)
		for i := range w {
			if s == nil || !matches(s.Unordered, path) {
				if fault := same(s, at(i), w[i], g[i]); fault != "" {
					return fault
				}
				continue
			}
			j := slices.IndexFunc(left, func(v any) bool { return same(s, at(i), w[i], v) == "" })
			if j < 0 {
				return fmt.Sprintf(" $.%s has nothing like %s: %s", strings.Join(path, "."), short(w[i]), short(got))
			}
			left = slices.Delete(left, j, j+1)
		}
		return ""
	}
	if want != got {
		return fault
	}
	return ""
}

func placeholder(kind string, got any) bool {
	text, isText := got.(string)
	_, isNumber := got.(float64)
	switch kind {
	case "any":
		return true
	case "string":
		return isText
	case "nonempty":
		return isText && text != ""
	case "int", "number":
		return isNumber
	case "null-or-string":
		return got == nil || isText
	case "worker_id":
		return isText && strings.Contains(text, ":")
	}
	if expression, ok := strings.CutPrefix(kind, "re:"); ok {
		return isText && regexp.MustCompile("^(?s:"+expression+")$").MatchString(text)
	}
	part, ok := strings.CutPrefix(kind, "contains:")
	return ok && isText && strings.Contains(text, part)
}

func short(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if len(b) > 400 {
		return string(b[:400]) + "..."
	}
	return string(b)
}

// playAll runs every recorded scenario against a worker.
func playAll(t *testing.T, w *harness.Connect) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "golden", "rest", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	// The recorded worker was a member of its group.
	harness.Eventually(t, "the worker is ready", func() (bool, string) {
		status, _, body := w.Do(t, http.MethodGet, "/health", "")
		return status == http.StatusOK, body
	})
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) { play(t, w, file) })
	}
}

func TestASingleWorkerAnswersAsRecorded(t *testing.T) {
	t.Parallel()
	playAll(t, harness.Worker(t, nil))
}

func TestAWorkerThatDoesNotLeadAnswersAsRecorded(t *testing.T) {
	t.Parallel()
	first := harness.Worker(t, nil)
	second := harness.Worker(t, harness.Join(first))
	k := harness.Broker(t)
	follower := second
	if waitLeader(t, k, first, second) == second {
		follower = first
	}
	playAll(t, follower)
	if waitLeader(t, k, first, second) == follower {
		t.Error("the worker leads now: the requests may not have been forwarded")
	}
}
