package rest

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"kconnect/connect/config"
)

// listener is one entry of listeners: scheme://host:port.
type listener struct {
	scheme string // http or https
	host   string // empty: every address; an IPv6 address has no brackets
	port   int
}

// parseListeners reads the entries of key, which is named in errors.
func parseListeners(key string, entries []string) ([]listener, error) {
	var list []listener
	for _, text := range entries {
		scheme, address, found := strings.Cut(strings.TrimSpace(text), "://")
		l := listener{scheme: strings.ToLower(scheme)}
		if !found || l.scheme != "http" && l.scheme != "https" {
			return nil, config.Invalid(key, text, "each listener has to begin with http:// or https://")
		}
		host, port, err := net.SplitHostPort(strings.TrimSuffix(address, "/"))
		if err != nil {
			return nil, config.Invalid(key, text, "each listener has to be of the form http://host:port, an IPv6 address in brackets")
		}
		if l.port, err = strconv.Atoi(port); err != nil || l.port < 0 || l.port > 65535 {
			return nil, config.Invalid(key, text, "the port of a listener has to be a number from 0 to 65535")
		}
		l.host = host
		list = append(list, l)
	}
	return list, nil
}

// AdvertisedURL returns the URL under which other workers reach this one, with
// a slash at the end as the group protocol has it, from listeners and
// rest.advertised.*. A listener's port 0 needs rest.advertised.port, because
// the port is not known before Listen. The error is a *config.Error.
//
// Without a host in either the address of this machine is looked up, for a
// fraction of a second at most.
func AdvertisedURL(cfg Config) (string, error) {
	list, err := parseListeners("listeners", cfg.Listeners)
	if err != nil {
		return "", err
	}
	scheme := strings.ToLower(cfg.AdvertisedListener)
	if scheme == "" {
		scheme = "http"
		if !slices.ContainsFunc(list, func(l listener) bool { return l.scheme == "http" }) {
			scheme = "https"
		}
	}
	i := slices.IndexFunc(list, func(l listener) bool { return l.scheme == scheme })
	if i < 0 {
		return "", config.Invalid("rest.advertised.listener", cfg.AdvertisedListener, "listeners has none of that scheme")
	}
	host, port := cfg.AdvertisedHost, cfg.AdvertisedPort
	if host == "" {
		host = list[i].host
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = localAddress()
	}
	if port == 0 {
		port = list[i].port
	}
	if port == 0 {
		return "", config.Invalid("listeners", cfg.Listeners[i], "port 0 needs rest.advertised.port, so that other workers know where to call")
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/", nil
}

// localAddress returns the address that the machine's name stands for, or the
// one from which packets leave, or the loopback address.
func localAddress() string {
	ctx, cancel := context.WithTimeout(context.Background(), 250*time.Millisecond)
	defer cancel()
	if name, err := os.Hostname(); err == nil {
		found, _ := net.DefaultResolver.LookupNetIP(ctx, "ip4", name)
		for _, a := range found {
			if !a.IsLoopback() {
				return a.Unmap().String()
			}
		}
	}
	// Connecting a UDP socket sends nothing; it asks the routing table. The
	// address is one of those kept for documentation.
	if c, err := new(net.Dialer).DialContext(ctx, "udp4", "192.0.2.1:9"); err == nil {
		defer func() { _ = c.Close() }()
		if a, ok := c.LocalAddr().(*net.UDPAddr); ok {
			return a.IP.String()
		}
	}
	return "127.0.0.1"
}
