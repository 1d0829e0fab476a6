package rest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kconnect/connect/config"
	"kconnect/connect/herder"
)

// TestAnswers holds what was probed on a real worker and is in no recording.
func TestAnswers(t *testing.T) {
	fake := newFake()
	fake.connectors["c"] = &fakeConnector{state: herder.Started, tasks: 1, cfg: config.Raw{"topic": text("t"), "html": text("<&>")}}
	fake.offsets = []herder.OffsetEntry{{Partition: map[string]any{"p": "x"}, Offset: map[string]any{"d": 1.0, "e": 1e300, "n": int64(1)}}}
	server := serve(t, fake, Config{})
	for _, c := range []struct {
		do, body string
		status   int
		says     string // the whole body, or a part after "..."
	}{
		{"GET /connectors?expand", "", 200, `{"c":{}}`},
		{"GET /connectors?expand=info,status", "", 200, `{"c":{}}`},
		{"GET /connectors/c/config", "", 200, `{"html":"<&>","topic":"t"}`},
		{"GET /connectors/c/offsets", "", 200, `{"offsets":[{"partition":{"p":"x"},"offset":{"d":1.0,"e":1e+300,"n":1}}]}`},
		{"GET /connectors/nope/topics", "", 200, `{"nope":{"topics":[]}}`},
		{"GET /connectors/c/tasks/+0/status", "", 200, `..."id":0`},
		{"GET /connectors/c/tasks/01/status", "", 404, `{"error_code":404,"message":"No status found for task c-1"}`},
		{"GET /connectors/c/tasks/1.0/status", "", 404, `{"error_code":404,"message":"HTTP 404 Not Found"}`},
		{"POST /connectors/c/tasks/a/restart", "", 404, `{"error_code":404,"message":"HTTP 404 Not Found"}`},
		{"POST /connectors/c/restart?includeTasks=maybe", "{bad", 204, ""},
		{"POST /connectors/c/restart?includeTasks=TRUE", "", 202, `..."tasks":[{"id":0`},
		{"PUT /connectors/c/topics/reset", "{bad", 202, ""},
		{"TRACE /connectors", "", 405, `{"error_code":405,"message":"HTTP 405 Method Not Allowed"}`},
		{"FOO /nope", "", 404, `{"error_code":404,"message":"HTTP 404 Not Found"}`},
		{"GET /metrics", "", 404, `{"error_code":404,"message":"HTTP 404 Not Found"}`},
		{"GET /admin/loggers/a/b", "", 404, `{"error_code":404,"message":"HTTP 404 Not Found"}`},

		{"POST /connectors", `{"name":5,"config":{"name":"6"}}`, 400, `{"error_code":400,"message":"Connector name configuration (6) doesn't match connector name in the URL (5)"}`},
		{"POST /connectors", `{"name":"y","name":"\u0000x ","config":{"name":"q"}}`, 400, `...(q) doesn't match connector name in the URL (x)`},
		{"POST /connectors", "{\"name\":\"\u00a0x\",\"config\":{\"name\":\"q\"}}", 400, "...URL (\u00a0x)"},
		{"POST /connectors", `{"name":"x","config":{"name":null}}`, 400, `...Connector config {name=x} contains no connector type`},
		{"POST /connectors", `{"name":"x","config":[]}`, 500, `...Cannot read \"config\": expected an object, not an array`},
		{"POST /connectors", `{"name":[],"config":{}}`, 500, `...Cannot read \"name\"`},
		{"POST /connectors", `{"name":"x","config":{},"initial_state":" paused "}`, 500, `...RUNNING, PAUSED, STOPPED`},
		{"POST /connectors", `{"Name":"x"}`, 500, `...Unrecognized field \"Name\" (known fields: name, config, initial_state)`},
		{"PUT /connectors/c/config", ``, 500, `...`},
		{"PUT /connectors/c/config", `{"name":" c "}`, 400, `...( c ) doesn't match connector name in the URL (c)`},
		{"PATCH /connectors/c/config", `{"name":"d"}`, 400, `...(d) doesn't match connector name in the URL (c)`}, // differs from Java on purpose: D21
		{"PATCH /connectors/c/config", `{"name":"c"}`, 200, `..."name":"c"`},
		{"PATCH /connectors/c/config", `null`, 500, `...`},
		{"PATCH /connectors/nope/config", `{"name":"d"}`, 404, `...Connector nope not found`},

		{"PATCH /connectors/c/offsets", `null`, 500, `...`},
		{"PATCH /connectors/c/offsets", `{}`, 400, `...Partitions / offsets need to be provided for an alter offsets request`},
		{"PATCH /connectors/c/offsets", `{"offsets":null}`, 400, `...Partitions / offsets need`},
		{"PATCH /connectors/c/offsets", `{"offsets":{}}`, 500, `...expected an array, not an object`},
		{"PATCH /connectors/c/offsets", `{"offsets":[null]}`, 500, `...expected an object, not null`},
		{"PATCH /connectors/c/offsets", `{"offsets":[{"partition":"a"}]}`, 500, `...Cannot read \"partition\"`},
		{"PATCH /connectors/c/offsets", `{"offsets":[{"x":1}]}`, 500, `...Unrecognized field \"x\"`},
		{"PATCH /connectors/c/offsets", `{"offsets":[{"partition":null},{"partition":{"a":1.5},"offset":{"b":2}}]}`, 200, `{"message":"altered"}`},
		{"DELETE /connectors/c/offsets", "", 200, `{"message":"reset"}`},

		{"PUT /admin/loggers/l", ``, 500, `...`},
		{"PUT /admin/loggers/l", `{"level":5}`, 404, `{"error_code":404,"message":"invalid log level '5'."}`},
		{"PUT /admin/loggers/l", `{"level":"WARN","level":"error","x":1}`, 200, `["l"]`},
		{"PUT /admin/loggers/l?scope=CLUSTER", `{"level":"WARN"}`, 204, ``},
		{"PUT /admin/loggers/l?scope=&scope=cluster", `{"level":"WARN"}`, 200, `[]`},

		{"GET /connector-plugins?connectorsOnly=", "", 200, `[{"class":"a.FileStreamSourceConnector","type":"source","version":"1"}]`},
		{"GET /connector-plugins?connectorsOnly=TRUE", "", 200, `[{"class":"a.FileStreamSourceConnector","type":"source","version":"1"}]`},
		{"GET /connector-plugins?connectorsOnly=maybe", "", 200, `...JsonConverter","type":"converter"`},
		{"GET /connector-plugins/Cast$Value/config", "", 404, `{"error_code":404,"message":"Unknown plugin Cast$Value."}`},
		{"GET /connector-plugins/FileStreamSource/config", "", 200, `[{"name":"topic","type":"STRING","required":true,"default_value":null,"importance":"HIGH",` +
			`"documentation":"where to","group":null,"order_in_group":-1,"width":"NONE","display_name":"topic","dependents":[]},` +
			`{"name":"batch.size","type":"INT","required":false,"default_value":"2000","importance":"LOW","documentation":"","group":"Common",` +
			`"order_in_group":2,"width":"SHORT","display_name":"Batch size","dependents":["topic"]}]`},
		{"PUT /connector-plugins/FileStreamSource/config/validate", `{"connector.class":5}`, 400, `{"error_code":400,"message":"Included connector type 5 does not match request type FileStreamSource"}`},
		{"PUT /connector-plugins/x.FileStreamSourceConnector/config/validate", `{"connector.class":"FileStreamSource"}`, 400, `...does not match request type x.FileStreamSourceConnector`},
		{"PUT /connector-plugins/Nope/config/validate", `{"connector.class":null}`, 500,
			`{"error_code":500,"message":"org.apache.kafka.connect.runtime.rest.errors.BadRequestException: Connector config {} contains no connector type"}`},
		{"PUT /connector-plugins/Source/config/validate", `{"connector.class":"FileStreamSourceConnector","batch.size":"x","topic":"t"}`, 200,
			`..."value":{"name":"topic","value":"t","recommended_values":[],"errors":[],"visible":true}}`},
		{"PUT /connector-plugins/Source/config/validate", `{"connector.class":"FileStreamSourceConnector","batch.size":"x","topic":"t"}`, 200,
			`...{"name":"FileStreamSourceConnector","error_count":1,"groups":[],"configs":[`},
		{"PUT /connector-plugins/Source/config/validate", `{"connector.class":"FileStreamSourceConnector","batch.size":"x","topic":"t"}`, 200,
			`..."value":null,"recommended_values":[],"errors":["Invalid value x for configuration batch.size: Not a number of type INT"]`},
	} {
		method, path, _ := strings.Cut(c.do, " ")
		res, body := send(t, method, server.URL+path, typed, strings.NewReader(c.body))
		part, partly := strings.CutPrefix(c.says, "...")
		if res.StatusCode != c.status || partly && !strings.Contains(body, part) || !partly && body != c.says {
			t.Errorf("%s %s: %d %s", c.do, c.body, res.StatusCode, body)
		}
	}
	want := []herder.OffsetEntry{{}, {Partition: map[string]any{"a": 1.5}, Offset: map[string]any{"b": int64(2)}}}
	if diff := cmp.Diff(want, fake.changes); diff != "" {
		t.Errorf("the changes of PATCH offsets: %s", diff)
	}
}

func TestMediaTypesAreCheckedInOrder(t *testing.T) {
	server := serve(t, newFake(), Config{})
	for _, c := range []struct {
		do, kind, accept, body string
		status                 int
	}{
		{"GET /connectors", "", "", "", 200},
		{"GET /connectors", "", "application/*", "", 200},
		{"GET /connectors", "", "application/json;q=0", "", 200},
		{"GET /connectors", "", "text/html, */*;q=0.1", "", 200},
		{"GET /connectors", "", "text/*", "", 406},
		{"GET /connectors", "", "garbage", "", 406},
		{"GET /connectors", "", "*", "", 200},
		{"GET /connectors", "", ",", "", 200},
		{"GET /connectors", "", "/", "", 400},
		{"GET /connectors", "", "application/", "", 400},
		{"GET /connectors", "", "a/b/c", "", 400},
		{"GET /connectors", "", ";", "", 400},
		{"GET /connectors", "", "application/json;q=2", "", 400},
		{"GET /connectors", "", "application/json;q=x", "", 400},
		{"GET /connectors", "", `application/json;a="`, "", 400},
		{"OPTIONS /connectors", "", "/", "", 400},
		{"GET /", "json", "", "", 400},
		{"GET /connectors", "application/json; x", "", "", 400},
		{"GET /connectors", "application/json, text/plain", "", "", 400},
		{"POST /connectors", "application/*", "", "{}", 415},
		{"PUT /connectors/x/fence", "text/plain", "", "x", 400},
		{"GET /connectors", "", "application/vnd.x+json", "", 406},
		{"GET /connectors", "text/plain", "", "", 415},
		{"GET /", "text/plain", "", "", 200},
		{"GET /health", "text/plain", "", "", 200},
		{"GET /nope", "text/plain", "", "", 404},
		{"PUT /connectors", "text/plain", "text/html", "x", 405},
		{"POST /connectors", "text/plain", "text/html", "x", 415},
		{"DELETE /connectors/x", "text/plain", "", "", 415},
		{"DELETE /connectors/x", "", "text/html", "", 406},
		{"PUT /connectors/x/pause", "text/plain", "", "", 415},
		{"PUT /connectors/x/pause", "application/*", "", "", 404},
		{"PUT /connectors/x/pause", "APPLICATION/JSON; charset=nope", "", "{bad", 404},
		{"PUT /connectors/x/pause", "", "", "{}", 404},
		{"PUT /connectors/x/config", "", "", "{}", 415},
		{"PUT /connectors/x/config", "", "", "", 500},
		{"GET /admin/loggers", "text/plain", "", "", 415},
		{"GET /connector-plugins", "text/plain", "", "", 415},
	} {
		method, path, _ := strings.Cut(c.do, " ")
		headers := map[string]string{}
		if c.kind != "" {
			headers["Content-Type"] = c.kind
		}
		if c.accept != "" {
			headers["Accept"] = c.accept
		}
		res, body := send(t, method, server.URL+path, headers, strings.NewReader(c.body))
		if res.StatusCode != c.status {
			t.Errorf("%+v: %d %s", c, res.StatusCode, body)
		}
		if c.status == 415 && (c.kind == "" || strings.Contains(c.kind, "*")) {
			continue // the resource missed the type, not the framework
		}
		if (res.StatusCode == 415 || res.StatusCode == 406 || res.StatusCode == 405) && res.Header["Content-Type"] != nil {
			t.Errorf("%+v: Content-Type is %s", c, res.Header["Content-Type"])
		}
	}
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	server := serve(t, newFake(), Config{})
	for _, path := range []string{"/", "/connectors", "/connectors/x", "/connectors/x/topics", "/nope", "/admin/loggers"} {
		get, text := send(t, "GET", server.URL+path, nil, nil)
		head, none := send(t, "HEAD", server.URL+path, nil, nil)
		get.Header.Del("Date")
		head.Header.Del("Date")
		if head.StatusCode != get.StatusCode || none != "" || text == "" {
			t.Errorf("HEAD %s: %d %q, GET: %d %q", path, head.StatusCode, none, get.StatusCode, text)
		}
		if diff := cmp.Diff(get.Header, head.Header); diff != "" {
			t.Errorf("HEAD %s: %s", path, diff)
		}
	}
}

func TestPostedOrderReachesTheHerder(t *testing.T) {
	fake := newFake()
	server := serve(t, fake, Config{})
	const body = `{"config":{"z":"1","connector.class":"FileStream","name":null,"a":null,"z":2},"name":"c"}`
	if res, text := send(t, "POST", server.URL+"/connectors", typed, strings.NewReader(body)); res.StatusCode != 201 {
		t.Fatalf("%d %s", res.StatusCode, text)
	}
	want := config.Entries{{Key: "z", Value: text("2")}, {Key: "connector.class", Value: text("FileStream")}, {Key: "name", Value: text("c")}, {Key: "a"}}
	if diff := cmp.Diff(want, fake.entries); diff != "" {
		t.Error(diff)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	server := serve(t, newFake(), Config{})
	large := strings.Repeat(" ", maxBody) + "[]"
	for _, path := range []string{"PUT /connectors/x/config", "PUT /connectors/x/pause", "POST /connectors/x/tasks"} {
		method, path, _ := strings.Cut(path, " ")
		res, body := send(t, method, server.URL+path, typed, strings.NewReader(large))
		var e errorBody
		if err := json.Unmarshal([]byte(body), &e); err != nil || res.StatusCode != http.StatusRequestEntityTooLarge || e.Code != res.StatusCode {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	// Task configurations of a large connector come signed.
	signed := map[string]string{"Content-Type": "application/json", headerMAC: "YQ==", headerAlgorithm: "HmacSHA256"}
	if res, body := send(t, "POST", server.URL+"/connectors/x/tasks", signed, strings.NewReader(large)); res.StatusCode != 204 {
		t.Errorf("signed: %d %s", res.StatusCode, body)
	}
}

func TestOptionsListsMethods(t *testing.T) {
	server := serve(t, newFake(), Config{})
	for path, want := range map[string]string{
		"/":                                    "HEAD,GET,OPTIONS",
		"/connectors":                          "HEAD,POST,GET,OPTIONS",
		"/connectors/x":                        "HEAD,DELETE,GET,OPTIONS",
		"/connectors/x/config":                 "HEAD,GET,OPTIONS,PUT,PATCH",
		"/connectors/x/offsets":                "HEAD,DELETE,GET,OPTIONS,PATCH",
		"/connectors/x/tasks/0/restart":        "POST,OPTIONS",
		"/connector-plugins/x/config/validate": "OPTIONS,PUT",
		"/admin/loggers/x":                     "HEAD,GET,OPTIONS,PUT",
	} {
		res, body := send(t, "OPTIONS", server.URL+path, nil, nil)
		if res.StatusCode != 200 || res.Header.Get("Allow") != want || strings.ReplaceAll(body, ", ", ",") != want || res.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("OPTIONS %s: %d %q %v", path, res.StatusCode, body, res.Header)
		}
		res, body = send(t, "OPTIONS", server.URL+path, map[string]string{"Accept": "application/json"}, nil)
		if res.StatusCode != 200 || res.Header.Get("Allow") != want || body != "" || res.Header.Get("Content-Type") != contentJSON {
			t.Errorf("OPTIONS %s for JSON: %d %q %v", path, res.StatusCode, body, res.Header)
		}
	}
}
