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
)

func newHealthCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "health [URL|FILE]",
		Short: "Exit with status 0 when the worker at URL, or of the properties FILE, is healthy",
		Long:  "health asks GET /health, for containers without curl. Without an argument it asks http://localhost:8083.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			url := "http://localhost:8083"
			if len(args) > 0 {
				url = args[0]
			}
			if !strings.Contains(url, "://") {
				var err error
				if url, err = listenerURL(url); err != nil {
					return err
				}
			}
			return checkHealth(cmd.Context(), strings.TrimSuffix(url, "/")+"/health", cmd.OutOrStdout())
		},
	}
}

// listenerURL returns the address of the first listener of a properties file.
func listenerURL(file string) (string, error) {
	properties, err := readProperties(file)
	if err != nil {
		return "", err
	}
	listener, _, _ := strings.Cut(properties["listeners"], ",")
	if listener == "" {
		listener = "http://:8083"
	}
	scheme, address, ok := strings.Cut(strings.TrimSpace(listener), "://")
	host, port, err := net.SplitHostPort(address)
	if !ok || err != nil {
		return "", fmt.Errorf("%s: listeners: %s is not of the form http://host:port", file, listener)
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "localhost"
	}
	return strings.ToLower(scheme) + "://" + net.JoinHostPort(host, port), nil
}

func checkHealth(ctx context.Context, url string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
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
