package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"kconnect/connect/config"
)

// Limits that keep slow and half-open clients from piling up (Promise 6).
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 30 * time.Second
	writeTimeout  = requestTimeout + bodyTimeout + 30*time.Second // reading, waiting, writing
	maxHeader     = 64 << 10                                      // bytes
	// maxConnections of a listener may be open; those beyond wait until one
	// ends, which those that do nothing do after idleTimeout. The worker needs
	// file descriptors for its brokers and databases, too.
	maxConnections = 4096
	// stopTimeout is how long running requests may take to end when the
	// worker stops (Promise 7).
	stopTimeout = 2 * time.Second
)

// Config is what shapes the API. The names of the worker's keys are in the comments.
type Config struct {
	Listeners      []string // listeners
	AdminListeners []string // admin.listeners; nil: /admin is on Listeners, empty: nowhere

	AdvertisedHost     string // rest.advertised.host.name
	AdvertisedPort     int    // rest.advertised.port
	AdvertisedListener string // rest.advertised.listener

	Headers      []HeaderRule // response.http.headers.config, see ParseHeaders
	AllowOrigin  string       // access.control.allow.origin
	AllowMethods string       // access.control.allow.methods

	TLS       *tls.Config // of https listeners; nil: there can be none
	AdminTLS  *tls.Config // of https admin listeners
	ClientTLS *tls.Config // for requests to other workers; nil: the system's authorities

	// Auth asks for a user on Listeners, of /admin too where it is there. AdminListeners are open, as in Java.
	Auth *BasicAuth

	Version, Commit string // of this program, for GET /

	Logger  *zap.Logger  // nil: no log
	Metrics http.Handler // answers GET /metrics; nil: there is none
}

// Server serves the API on the ports of a Config.
type Server struct {
	cfg       Config
	herder    Herder
	log       *zap.Logger
	forwarder *http.Client
	ports     []*port

	connections int // maxConnections, but in a test
}

// port is one listener with what it serves.
type port struct {
	listener
	tls     *tls.Config
	handler http.Handler
	open    net.Listener // nil before Listen
}

// New makes a server, without opening ports. h is not called before Run. The
// error is a *config.Error that names the key at fault.
func New(h Herder, cfg Config) (*Server, error) {
	s := &Server{cfg: cfg, herder: h, log: cfg.Logger, forwarder: newForwarder(cfg), connections: maxConnections}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	before := []echo.MiddlewareFunc{withHeaders(cfg.Headers)}
	if cfg.AllowOrigin != "" {
		cors, err := withCORS(cfg.AllowOrigin, cfg.AllowMethods)
		if err != nil {
			return nil, err
		}
		before = append(before, cors)
	}
	routes := s.rootRoutes()
	if cfg.AdminListeners == nil {
		routes = append(routes, s.adminRoutes()...)
	}
	main, admin := s.router(cfg.Auth, routes, before...), s.router(nil, s.adminRoutes())
	if cfg.Metrics != nil {
		for e, auth := range map[*echo.Echo]*BasicAuth{main: cfg.Auth, admin: nil} {
			e.GET("/metrics", auth.guard(echo.WrapHandler(cfg.Metrics)))
			e.HEAD("/metrics", auth.guard(echo.WrapHandler(cfg.Metrics)))
		}
	}
	if len(cfg.Listeners) == 0 {
		return nil, config.Invalid("listeners", "", "at least one listener is needed")
	}
	if err := s.add("listeners", cfg.Listeners, cfg.TLS, main); err != nil {
		return nil, err
	}
	if err := s.add("admin.listeners", cfg.AdminListeners, cfg.AdminTLS, admin); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) add(key string, entries []string, certs *tls.Config, handler http.Handler) error {
	list, err := parseListeners(key, entries)
	if err != nil {
		return err
	}
	for i, l := range list {
		p := &port{listener: l, handler: handler}
		if l.scheme == "https" {
			if certs == nil {
				return config.Invalid(key, entries[i], "an https listener needs a certificate, and none is configured; without one use http:// behind a proxy that ends TLS")
			}
			p.tls = certs.Clone()
			p.tls.NextProtos = []string{"http/1.1"}
		}
		s.ports = append(s.ports, p)
	}
	return nil
}

// Listen opens all ports, or none and returns an error that names the one that
// cannot be opened. Clients that connect wait for Run.
func (s *Server) Listen() error {
	for _, p := range s.ports {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(p.host, strconv.Itoa(p.port)))
		if err != nil {
			s.close()
			return fmt.Errorf("cannot listen on %s://%s: %w; stop what uses the port or change listeners", p.scheme, net.JoinHostPort(p.host, strconv.Itoa(p.port)), err)
		}
		l = netutil.LimitListener(l, s.connections)
		if p.tls != nil {
			l = tls.NewListener(l, p.tls)
		}
		p.open = l
	}
	return nil
}

func (s *Server) close() {
	for _, p := range s.ports {
		if p.open != nil {
			_ = p.open.Close()
			p.open = nil
		}
	}
}

// Addr returns the address of the first listener, after Listen.
func (s *Server) Addr() net.Addr { return s.ports[0].open.Addr() }

// AdminAddr returns the address of the first admin listener, after Listen; nil
// when there is none of its own.
func (s *Server) AdminAddr() net.Addr {
	if len(s.cfg.AdminListeners) == 0 {
		return nil
	}
	return s.ports[len(s.cfg.Listeners)].open.Addr()
}

// Run serves until ctx ends, then gives running requests 2 s, ends what is
// left and returns nil. It may be called once, after Listen.
func (s *Server) Run(ctx context.Context) error {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range s.ports {
		if p.open == nil {
			return errors.New("rest: Run before Listen")
		}
	}
	for _, p := range s.ports {
		server := &http.Server{
			Handler:           p.handler,
			ReadHeaderTimeout: headerTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
			BaseContext:       func(net.Listener) context.Context { return requests },
			ErrorLog:          zap.NewStdLog(s.log),
		}
		g.Go(func() error {
			if err := server.Serve(p.open); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("the REST listener %s failed: %w", p.open.Addr(), err)
			}
			return nil
		})
		g.Go(func() error {
			<-ctx.Done()
			grace, done := context.WithTimeout(requests, stopTimeout)
			defer done()
			if server.Shutdown(grace) == nil {
				return nil
			}
			cancel() // the requests answer that the worker stops
			last, done := context.WithTimeout(context.Background(), stopTimeout/4)
			defer done()
			if server.Shutdown(last) != nil {
				_ = server.Close()
			}
			return nil
		})
	}
	err := g.Wait()
	s.forwarder.CloseIdleConnections()
	return err
}
