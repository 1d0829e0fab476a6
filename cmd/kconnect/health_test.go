package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kconnect/connect/config"
	"kconnect/connect/ssl"
)

func TestHealthOfAnHTTPSListenerIsAskedWithTheSettingsOfTheWorker(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName+" "+r.URL.Path)
	}))
	var err error
	keys := config.Map{"ssl.keystore.location": sslData + "server.jks", "ssl.keystore.password": "store-pass", "ssl.client.auth": "required"}
	if server.TLS, _, err = ssl.Listener(keys, "listeners.https."); err != nil {
		t.Fatal(err)
	}
	server.StartTLS()
	defer server.Close()
	for _, prefix := range []string{"", "listeners.https."} {
		text := "listeners=HTTPS" + strings.TrimPrefix(server.URL, "https") + "\n"
		for k, v := range keys {
			text += prefix + k + "=" + v + "\n"
		}
		file := filepath.Join(t.TempDir(), "worker.properties")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		cmd := newHealthCommand()
		cmd.SetArgs([]string{file})
		cmd.SetOut(&out)
		if err := cmd.ExecuteContext(t.Context()); err != nil || out.String() != "server /health\n" {
			t.Errorf("%q: %q, %v", prefix, out.String(), err)
		}
	}
}
