package kafkaconf

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"kconnect/connect/config"
)

var saslKeys = config.NewDef(
	key("sasl.mechanism", config.String, "GSSAPI", nil),
	key("sasl.jaas.config", config.Password, "", nil),
	key("sasl.client.callback.handler.class", config.Class, "", nil),
	key("sasl.login.callback.handler.class", config.Class, "", nil),
	key("sasl.login.class", config.Class, "", nil),
)

func (c *client) sasl() error {
	mechanism := c.String("sasl.mechanism")
	module := "ScramLoginModule"
	switch mechanism {
	case "PLAIN":
		module = "PlainLoginModule"
	case "SCRAM-SHA-256", "SCRAM-SHA-512":
	default:
		// Promise 9: what is not there yet refuses.
		return config.Invalid("sasl.mechanism", mechanism,
			"this worker can do PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512: use a listener of the brokers that has one of them")
	}
	for _, key := range []string{"sasl.client.callback.handler.class", "sasl.login.callback.handler.class", "sasl.login.class"} {
		if v := c.String(key); v != "" {
			return config.Invalid(key, v, "this worker runs no Java classes: put the user into sasl.jaas.config and leave the key out")
		}
	}
	jaas, given := c.OptPassword("sasl.jaas.config")
	refuse := func(why string) error { return config.Invalid("sasl.jaas.config", jaas, why) }
	form := `write org.apache.kafka.common.security.` + strings.ToLower(strings.TrimSuffix(module, "LoginModule")) + "." + module +
		` required username="..." password="...";`
	if !given {
		return config.Invalid("sasl.jaas.config", nil, "security.protocol asks for a user: "+form)
	}
	login, ok := parseJAAS(jaas.Reveal())
	switch {
	case !ok:
		return refuse("not one login module with its options: " + form)
	case !strings.HasSuffix(login.module, "."+module):
		return refuse("the login module is not that of " + mechanism + ": " + form)
	case login.options["username"] == "" || login.options["password"] == "":
		return refuse("username or password is missing or empty: " + form)
	}
	user, password := login.options["username"], login.options["password"]
	switch mechanism {
	case "PLAIN":
		c.add(kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism()))
	case "SCRAM-SHA-256":
		c.add(kgo.SASL(scram.Auth{User: user, Pass: password, IsToken: login.options["tokenauth"] == "true"}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		c.add(kgo.SASL(scram.Auth{User: user, Pass: password, IsToken: login.options["tokenauth"] == "true"}.AsSha512Mechanism()))
	}
	return nil
}

// login is an entry of a JAAS configuration.
type login struct {
	module  string
	options map[string]string
}

// parseJAAS reads "module flag option=value ... ;". What is wrong with a text that it refuses is not told: a
// misplaced quote makes any part of it a part of the password.
func parseJAAS(text string) (login, bool) {
	l := login{options: make(map[string]string)}
	tokens, ok := jaasTokens(text)
	if !ok || len(tokens) < 3 || tokens[0].sign() || tokens[len(tokens)-1] != (token{text: ";"}) {
		return l, false
	}
	l.module = tokens[0].text
	switch strings.ToLower(tokens[1].text) {
	case "required", "requisite", "sufficient", "optional":
	default:
		return l, false
	}
	for rest := tokens[2 : len(tokens)-1]; len(rest) > 0; rest = rest[3:] {
		if len(rest) < 3 || rest[0].sign() || rest[1] != (token{text: "="}) || rest[2].sign() {
			return l, false
		}
		l.options[rest[0].text] = rest[2].text
	}
	return l, true
}

// token is a word, a quoted text, or one of the signs = and ;.
type token struct {
	text   string
	quoted bool
}

func (t token) sign() bool { return !t.quoted && (t.text == "=" || t.text == ";") }

func jaasTokens(s string) ([]token, bool) {
	var tokens []token
	for s != "" {
		switch c := s[0]; {
		case strings.IndexByte(" \t\r\n\f", c) >= 0:
			s = s[1:]
		case c == '=' || c == ';':
			tokens = append(tokens, token{text: s[:1]})
			s = s[1:]
		case c == '"' || c == '\'':
			text, rest, ok := quoted(s)
			if !ok {
				return nil, false
			}
			tokens = append(tokens, token{text, true})
			s = rest
		case strings.HasPrefix(s, "/*"):
			_, rest, ok := strings.Cut(s[2:], "*/")
			if !ok {
				return nil, false
			}
			s = rest
		case c == '/': // Java takes a single slash for the start of a comment too
			_, s, _ = strings.Cut(s, "\n")
		default:
			end := strings.IndexAny(s, " \t\r\n\f=;\"'/")
			if end < 0 {
				end = len(s)
			}
			tokens = append(tokens, token{text: s[:end]})
			s = s[end:]
		}
	}
	return tokens, true
}

// quoted reads a quoted text with the escapes of Java's tokenizer.
func quoted(s string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case s[0]:
			return b.String(), s[i+1:], true
		case '\n', '\r':
			return "", "", false
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
			if octal := octalDigits(s[i:]); octal > 0 {
				code := 0
				for _, d := range s[i : i+octal] {
					code = code*8 + int(d-'0')
				}
				b.WriteRune(rune(code))
				i += octal - 1
				continue
			}
			if at := strings.IndexByte("abfnrtv", s[i]); at >= 0 {
				b.WriteByte("\a\b\f\n\r\t\v"[at])
			} else {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// octalDigits counts the digits of an octal escape: up to three, the first of three at most 3.
func octalDigits(s string) int {
	most := 2
	if s[0] <= '3' {
		most = 3
	}
	n := 0
	for n < most && n < len(s) && s[n] >= '0' && s[n] <= '7' {
		n++
	}
	return n
}
