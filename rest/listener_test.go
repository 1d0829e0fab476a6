package rest

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func TestAdvertisedURL(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string // or a part of the error
	}{
		{Config{Listeners: []string{"http://h:1"}}, "http://h:1/"},
		{Config{Listeners: []string{"HTTPS://h:1", " HTTP://i:2/"}}, "http://i:2/"},
		{Config{Listeners: []string{"https://h:1"}}, "https://h:1/"},
		{Config{Listeners: []string{"http://i:2", "https://h:1"}, AdvertisedListener: "HTTPS"}, "https://h:1/"},
		{Config{Listeners: []string{"http://:1"}, AdvertisedHost: "a"}, "http://a:1/"},
		{Config{Listeners: []string{"http://h:0"}, AdvertisedPort: 9}, "http://h:9/"},
		{Config{Listeners: []string{"http://[::1]:1"}}, "http://[::1]:1/"},
		{Config{Listeners: []string{"http://h:0"}}, "rest.advertised.port"},
		{Config{Listeners: []string{"http://h:1"}, AdvertisedListener: "https"}, "rest.advertised.listener"},
		{Config{Listeners: []string{"h:1"}}, "http:// or https://"},
		{Config{Listeners: []string{"ftp://h:1"}}, "http:// or https://"},
		{Config{Listeners: []string{"http://h"}}, "http://host:port"},
		{Config{Listeners: []string{"http://h:x"}}, "number"},
		{Config{Listeners: []string{"http://h:65536"}}, "number"},
	} {
		got, err := AdvertisedURL(c.cfg)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%+v: %s, want %s", c.cfg, got, c.want)
		}
	}
}

func TestAdvertisedHostIsAnAddressOfTheMachine(t *testing.T) {
	for _, listener := range []string{"http://:8083", "http://0.0.0.0:8083", "http://[::]:8083"} {
		got, err := AdvertisedURL(Config{Listeners: []string{listener}})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := netip.ParseAddr(u.Hostname()); err != nil || a.IsUnspecified() || u.Port() != "8083" {
			t.Errorf("%s is advertised as %s", listener, got)
		}
	}
}
