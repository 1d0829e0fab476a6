package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kconnect/connect/ssl"
)

func newHealthCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "health [URL|FILE]",
		Short: "Exit with status 0 when the worker at URL, or of the properties FILE, is healthy",
		Long:  "health asks GET /health, for containers without curl. Without an argument it asks http://localhost:8083. A worker that asks for users is given one in the URL, http://user:password@host:8083.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			url := "http://localhost:8083"
			if len(args) > 0 {
				url = args[0]
			}
			client := http.DefaultClient
			if !strings.Contains(url, "://") {
				var err error
				if url, client, err = listenerURL(url); err != nil {
					return err
				}
			}
			return checkHealth(cmd.Context(), client, strings.TrimSuffix(url, "/")+"/health", cmd.OutOrStdout())
		},
	}
}

// listenerURL returns the address of the first listener of a properties file, and a client for it.
func listenerURL(file string) (string, *http.Client, error) {
	properties, err := readProperties(file)
	if err != nil {
		return "", nil, err
	}
	listener, _, _ := strings.Cut(properties["listeners"], ",")
	if listener == "" {
		listener = "http://:8083"
	}
	scheme, address, ok := strings.Cut(strings.TrimSpace(listener), "://")
	host, port, err := net.SplitHostPort(address)
	if !ok || err != nil {
		return "", nil, fmt.Errorf("%s: listeners: %s is not of the form http://host:port", file, listener)
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	client := http.DefaultClient
	if strings.EqualFold(scheme, "https") {
		// The name in the certificate is that under which others know this machine, not localhost.
		prefix := "listeners.https."
		if len(properties.WithPrefix(prefix)) == 0 {
			prefix = ""
		}
		properties[prefix+"ssl.endpoint.identification.algorithm"] = ""
		_, c, err := ssl.Listener(properties, "listeners.https.")
		if err != nil {
			return "", nil, err
		}
		client = &http.Client{Transport: &http.Transport{TLSClientConfig: c}}
	}
	return strings.ToLower(scheme) + "://" + net.JoinHostPort(host, port), client, nil
}

func checkHealth(ctx context.Context, client *http.Client, url string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second) // the worker takes up to 10 s to find out
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // only read from
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<14))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, strings.TrimSpace(string(body)))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the worker is not healthy: %s", resp.Status)
	}
	return nil
}
