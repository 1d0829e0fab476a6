package service

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreePort returns a loopback TCP port that nobody listens on. It lies below the range from which the kernel takes the ports
// of outgoing connections, so that it is still free when a server binds it a moment later, or again after a restart.
func FreePort() (int, error) {
	var last error
	for range 100 {
		port := 10_000 + rand.IntN(22_000)
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort("", strconv.Itoa(port)))
		if err != nil {
			last = err
			continue
		}
		if err := l.Close(); err != nil {
			return 0, err
		}
		return port, nil
	}
	return 0, fmt.Errorf("no free port between 10000 and 32000: %w", last)
}

// loopback is the address of a port on this machine.
func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
