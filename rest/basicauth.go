package rest

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"kconnect/connect/config"
	"kconnect/connect/jaas"
)

// BasicAuth admits users by name and password (RFC 7617), as the basic-auth extension of Java workers does: see
// ReadBasicAuth. It may be used by several goroutines at once.
type BasicAuth struct {
	users map[string][sha256.Size]byte // name -> digest of the password
	open  bool                         // a file without users admits everybody
}

const (
	loginSection = "KafkaConnect"
	loginModule  = "PropertyFileLoginModule"
)

// ReadBasicAuth reads the section KafkaConnect of the JAAS file at path, whose login modules are PropertyFileLoginModule
// with the option file, and the .properties files of users that they name. A user of any of the files is admitted; a
// file without users admits everybody, as in Java, where warn is called with a sentence. All is read once, here.
//
// The errors name the file at fault and show nothing of its content.
func ReadBasicAuth(path string, warn func(string)) (*BasicAuth, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the JAAS file of the REST users: %w", err)
	}
	sections, err := jaas.ParseFile(string(text))
	if err != nil {
		return nil, fmt.Errorf("the JAAS file %s cannot be read: %w", path, err)
	}
	logins := sections[loginSection]
	form := loginSection + ` { org.apache.kafka.connect.rest.basic.auth.extension.` + loginModule + ` required file="/path/of/users.properties"; };`
	if len(logins) == 0 {
		return nil, fmt.Errorf("the JAAS file %s has no login in a section %s: write %s", path, loginSection, form)
	}
	b := &BasicAuth{users: make(map[string][sha256.Size]byte)}
	for _, login := range logins {
		if login.SimpleModule() != loginModule {
			return nil, fmt.Errorf("the JAAS file %s: section %s: this worker runs no Java classes such as %s: write %s, or put a proxy that knows the users before the port", path, loginSection, login.Module, form)
		}
		file := strings.TrimSpace(login.Options["file"])
		if file == "" {
			return nil, fmt.Errorf("the JAAS file %s: section %s: the option file is missing: write %s", path, loginSection, form)
		}
		users, err := readUsers(file)
		if err != nil {
			return nil, err
		}
		if len(users) == 0 {
			warn("The file of REST users " + file + " is empty; all requests will be permitted")
			b.open = true
		}
		for name, password := range users {
			b.users[name] = sha256.Sum256([]byte(password))
		}
	}
	return b, nil
}

func readUsers(file string) (config.Map, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("the file of REST users: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read from
	users, _, err := config.ReadProperties(f)
	if err != nil {
		return nil, fmt.Errorf("the file of REST users %s is not a .properties file: a \\uXXXX in it is malformed", file)
	}
	return users, nil
}

// admits reports whether a request with this Authorization header comes from a user. The error is the answer of Java
// workers to a header that is not base64.
func (b *BasicAuth) admits(authorization string) (bool, error) {
	name, password, given, err := credentials(authorization)
	if err != nil || b.open || !given {
		return b.open && err == nil, err
	}
	// A name that nobody has takes as long as a wrong password.
	want, known := b.users[name]
	got := sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1 && known, nil
}

// credentials takes name and password out of an Authorization header.
func credentials(authorization string) (name, password string, given bool, err error) {
	method, encoded, found := strings.Cut(authorization, " ")
	if !found || !strings.EqualFold(method, "basic") {
		return "", "", false, nil
	}
	text, err := javaBase64(encoded)
	if err != nil {
		return "", "", false, err
	}
	name, password, found = strings.Cut(strings.ToValidUTF8(string(text), "\uFFFD"), ":")
	return name, password, found && name != "", nil
}

// javaBase64 decodes as java.util.Base64 does, and fails with its words: padding may be absent, everything else is
// strict.
func javaBase64(text string) ([]byte, error) {
	fail := func(message string) ([]byte, error) {
		return nil, &statusError{status: http.StatusInternalServerError, message: message}
	}
	if len(text) == 1 {
		return fail("Input byte[] should at least have 2 bytes for base64 bytes")
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var out []byte
	bits, have := uint32(0), 0 // what is decoded and not yet a byte
	for i := 0; i < len(text); i++ {
		if text[i] == '=' {
			// Padding fills a unit of four up, and nothing comes after.
			unit := i % 4
			if unit < 2 || unit == 2 && !strings.HasPrefix(text[i+1:], "=") {
				return fail("Input byte array has wrong 4-byte ending unit")
			}
			if end := i + 4 - unit; end < len(text) {
				return fail("Input byte array has incorrect ending byte at " + strconv.Itoa(end))
			}
			return out, nil
		}
		at := strings.IndexByte(alphabet, text[i])
		if at < 0 {
			return fail("Illegal base64 character " + strconv.FormatInt(int64(int8(text[i])), 16)) //nolint:gosec // Java's bytes have a sign
		}
		bits, have = bits<<6|uint32(at), have+6
		if have >= 8 {
			have -= 8
			out = append(out, byte(bits>>have))
		}
	}
	if len(text)%4 == 1 {
		return fail("Last unit does not have enough valid bits")
	}
	return out, nil
}

// refuses answers a request that b does not admit, and reports whether it did. b may be nil: everybody is admitted then.
// Java workers look at the user after they have found the resource, so that 404, 405, 406 and 415 need none, and call
// each other without one where requests are signed.
func (b *BasicAuth) refuses(c echo.Context, path string) bool {
	method := c.Request().Method
	if b == nil || method == http.MethodPost && path == "/connectors/:name/tasks" || method == http.MethodPut && path == "/connectors/:name/fence" {
		return false
	}
	ok, err := b.admits(strings.Join(c.Request().Header.Values("Authorization"), ","))
	if ok {
		return false
	}
	if err != nil {
		writeError(err, c)
		return true
	}
	const body = "User cannot access the resource."
	h := c.Response().Header()
	h.Set("Content-Type", contentJSON) // although it is none, as in Java
	if types, _ := accepted(c.Request().Header); method == http.MethodOptions && best(types, "text", "plain") != nil {
		h.Set("Content-Type", "text/plain")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.Response().WriteHeader(http.StatusUnauthorized)
	_, _ = c.Response().Write([]byte(body)) // a client that is gone is no fault of ours
	return true
}

// guard is refuses around a handler that is no resource.
func (b *BasicAuth) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if b.refuses(c, "") {
			return nil
		}
		return next(c)
	}
}
