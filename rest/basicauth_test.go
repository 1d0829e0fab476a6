package rest

import (
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// users makes a JAAS file and the file of users that it names.
func users(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	file, path := filepath.Join(dir, "users.properties"), filepath.Join(dir, "jaas.conf")
	jaas := `KafkaConnect { org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule required file="` + filepath.ToSlash(file) + `"; };`
	for name, content := range map[string]string{file: text, path: jaas} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func basicAuth(t *testing.T, text string) *BasicAuth {
	t.Helper()
	auth, err := ReadBasicAuth(users(t, text), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// userFile is what was put before a Java worker 4.2.0 for the answers below.
const userFile = "alice=wonder land\nbob\\ x=p\\:w\n! c\n caf\\u00e9 : \\u00fc\\\n   tail \nnopass\ndup=1\ndup=2\nraw\xfc=r\n"

// TestUsersAreAdmittedAsByJava repeats what a Java worker 4.2.0 with its basic-auth extension answered.
func TestUsersAreAdmittedAsByJava(t *testing.T) {
	user := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	server := serve(t, newFake(), Config{Auth: basicAuth(t, userFile)})
	const refused = "User cannot access the resource."
	illegal := func(s string) string { return `{"error_code":500,"message":"` + s + `"}` }
	for _, test := range []struct {
		authorization string
		status        int
		body          string
	}{
		{"", 401, refused},
		{user("alice:wonder land"), 200, ""},
		{strings.Replace(user("alice:wonder land"), "Basic", "bAsIc", 1), 200, ""},
		{strings.TrimRight(user("alice:wonder land"), "="), 200, ""},
		{user("alice:wrong"), 401, refused},
		{user("alice:"), 401, refused},
		{user("nobody:wonder land"), 401, refused},
		{user("bob x:p:w"), 200, ""},
		{user("café:ü tail"), 401, refused},
		{user("café:ütail "), 200, ""},
		{user("nopass:"), 200, ""},
		{user("dup:1"), 401, refused},
		{user("dup:2"), 200, ""},
		{user("raw\xfc:r"), 401, refused},
		{user("rawü:r"), 200, ""},
		{user(":x"), 401, refused},
		{user("nocolon"), 401, refused},
		{"Bearer x", 401, refused},
		{"Basic", 401, refused},
		{"Basic !!!", 500, illegal("Illegal base64 character 21")},
		{"Basic YWxpY2U6 d29u", 500, illegal("Illegal base64 character 20")},
		{"Basic YWxpY2U6d29uA", 500, illegal("Last unit does not have enough valid bits")},
		{"Basic YW=xp", 500, illegal("Input byte array has wrong 4-byte ending unit")},
		{"Basic A", 500, illegal("Input byte[] should at least have 2 bytes for base64 bytes")},
	} {
		header := map[string]string{}
		if test.authorization != "" {
			header["Authorization"] = test.authorization
		}
		res, body := send(t, "GET", server.URL+"/connectors", header, nil)
		if res.StatusCode != test.status || test.body != "" && body != test.body || res.Header.Get("Content-Type") != "application/json" || res.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%q: %d %s %v, want %d %s", test.authorization, res.StatusCode, body, res.Header, test.status, test.body)
		}
	}
}

// TestUsersAreAskedForAfterTheResourceIsFound has more of those answers.
func TestUsersAreAskedForAfterTheResourceIsFound(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "m 1") })
	s, _ := run(t, newFake(), Config{Listeners: []string{"http://127.0.0.1:0"}, Auth: basicAuth(t, userFile), Metrics: metrics})
	for _, test := range []struct {
		method, path string
		header       map[string]string
		status       int
		contentType  string
	}{
		{"GET", "/", nil, 401, "application/json"},
		{"HEAD", "/", nil, 401, "application/json"},
		{"GET", "/health", nil, 401, "application/json"},
		{"GET", "/metrics", nil, 401, "application/json"},
		{"GET", "/admin/loggers/root", nil, 401, "application/json"},
		{"GET", "/nosuch", nil, 404, ""},
		{"DELETE", "/connectors", nil, 405, ""},
		{"PUT", "/connectors/x/config", map[string]string{"Content-Type": "text/plain"}, 415, ""},
		{"GET", "/connectors", map[string]string{"Accept": "text/html"}, 406, ""},
		{"OPTIONS", "/connectors", nil, 401, "text/plain"},
		{"OPTIONS", "/connectors", map[string]string{"Accept": "application/json"}, 401, "application/json"},
		{"POST", "/connectors", map[string]string{"Content-Type": "application/json"}, 401, "application/json"},
		{"GET", "/connectors/x/tasks", nil, 401, "application/json"},
		{"POST", "/connectors/x/tasks", nil, 500, "application/json"}, // without a body, past the users
		{"PUT", "/connectors/x/tasks", nil, 405, ""},
		{"GET", "/connectors/x/fence", nil, 405, ""},
	} {
		header := map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:wrong"))}
		maps.Copy(header, test.header)
		res, body := send(t, test.method, "http://"+s.Addr().String()+test.path, header, nil)
		if res.StatusCode != test.status || res.Header.Get("Content-Type") != test.contentType {
			t.Errorf("%s %s: %d %q %s", test.method, test.path, res.StatusCode, res.Header.Get("Content-Type"), body)
		}
		if test.status == 401 && res.Header.Get("Content-Length") != "32" {
			t.Errorf("%s %s: length %s", test.method, test.path, res.Header.Get("Content-Length"))
		}
	}
	res, body := send(t, "PUT", "http://"+s.Addr().String()+"/connectors/x/fence", nil, nil)
	if res.StatusCode == 401 {
		t.Errorf("PUT fence: %d %s: workers have no users", res.StatusCode, body)
	}
}

func TestAdminListenersAskForNoUser(t *testing.T) {
	local := []string{"http://127.0.0.1:0"}
	s, _ := run(t, newFake(), Config{Listeners: local, AdminListeners: local, Auth: basicAuth(t, userFile)})
	if res, body := send(t, "GET", "http://"+s.AdminAddr().String()+"/admin/loggers", nil, nil); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestAFileWithoutUsersAdmitsEverybodyAndIsWarnedOf(t *testing.T) {
	var warned string
	auth, err := ReadBasicAuth(users(t, "# nobody yet\n"), func(s string) { warned = s })
	if err != nil || !strings.Contains(warned, "users.properties") {
		t.Fatalf("%v, warned %q", err, warned)
	}
	server := serve(t, newFake(), Config{Auth: auth})
	if res, body := send(t, "GET", server.URL+"/connectors", nil, nil); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestUsersOfAllFilesAreAdmitted(t *testing.T) {
	one, two := users(t, "a=1\nc=1\n"), users(t, "b=2\n")
	text := "KafkaConnect {\n"
	for _, path := range []string{one, two} {
		text += ` x.PropertyFileLoginModule sufficient file="` + filepath.ToSlash(filepath.Join(filepath.Dir(path), "users.properties")) + "\";\n"
	}
	if err := os.WriteFile(one, []byte(text+"};"), 0o600); err != nil {
		t.Fatal(err)
	}
	auth, err := ReadBasicAuth(one, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]bool{"a:1": true, "b:2": true, "b:1": false} {
		if got, err := auth.admits("Basic " + base64.StdEncoding.EncodeToString([]byte(user))); got != want || err != nil {
			t.Errorf("%s: %v, %v", user, got, err)
		}
	}
}

func TestUnusableUserFilesAreNamed(t *testing.T) {
	const secret = "s3cr3t"
	for text, part := range map[string]string{
		`KafkaServer { x.PropertyFileLoginModule required file="/x"; };`:                  "KafkaConnect",
		`KafkaConnect { com.example.LdapLogin required password="s3cr3t"; };`:             "com.example.LdapLogin",
		`KafkaConnect { x.PropertyFileLoginModule required; };`:                           "option file",
		`KafkaConnect { x.PropertyFileLoginModule required file="/no/such/users"; };`:     "/no/such/users",
		`KafkaConnect { x.PropertyFileLoginModule required p="s3cr3t" file="/no/such/u" `: "section KafkaConnect",
	} {
		path := filepath.Join(t.TempDir(), "jaas.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadBasicAuth(path, func(string) {}); err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want %q", text, err, part)
		}
	}
	if _, err := ReadBasicAuth("/no/such/jaas.conf", func(string) {}); err == nil || !strings.Contains(err.Error(), "/no/such/jaas.conf") {
		t.Errorf("no file: %v", err)
	}
	if _, err := ReadBasicAuth(users(t, "a=\\u12\n"), func(string) {}); err == nil || !strings.Contains(err.Error(), "users.properties") {
		t.Errorf("a malformed escape: %v", err)
	}
}
