package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Names of the services in a Set and of the environment variables that tell tests where they are.
const (
	KafkaName    = "kafka"
	MariaDBName  = "mariadb"
	PostgresName = "postgres"

	EnvBrokers  = "KCONNECT_TEST_BROKERS"   // bootstrap.servers
	EnvMariaDB  = "KCONNECT_TEST_MARIADB"   // DSN of the Go driver: root:password@tcp(host:port)/
	EnvPostgres = "KCONNECT_TEST_POSTGRES"  // postgres://kc:password@host:port/postgres?sslmode=disable
	EnvKafkaLib = "KCONNECT_TEST_KAFKA_LIB" // folder of the jars of the Kafka distribution
)

// Names lists every service.
func Names() []string { return []string{KafkaName, MariaDBName, PostgresName} }

// Check returns a *MissingError when a program of the named service is not installed.
func Check(name string) error {
	var err error
	switch name {
	case KafkaName:
		_, err = FindDistribution()
	case MariaDBName:
		_, _, err = mariadbPrograms()
	case PostgresName:
		_, _, err = postgresPrograms()
	}
	return err
}

// Set is the services of one run in one temporary folder.
type Set struct {
	Missing []*MissingError // what was asked for and is not installed

	dir      string
	kafka    *Broker
	mariadb  *MariaDB
	postgres *Postgres
}

// StartSet starts the named services side by side. One that is not installed is left out and listed in Missing; any other
// fault stops those that run and is returned. The caller ends the set with Stop.
func StartSet(ctx context.Context, names []string, options BrokerOptions) (*Set, error) {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("unknown service %q: known are %v", name, Names())
		}
	}
	dir, err := TempDir()
	if err != nil {
		return nil, err
	}
	s := &Set{dir: dir}
	missing := make([]*MissingError, len(names))
	var g errgroup.Group
	for i, name := range names {
		g.Go(func() error {
			err := s.start(ctx, name, options)
			if errors.As(err, &missing[i]) {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	for _, m := range missing {
		if m != nil {
			s.Missing = append(s.Missing, m)
		}
	}
	return s, nil
}

// TempDir makes a folder for services that other users may enter. The caller removes it.
func TempDir() (string, error) {
	dir, err := os.MkdirTemp("", "kconnect-services-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

// start assigns a field of its own, so that services may start at once.
func (s *Set) start(ctx context.Context, name string, options BrokerOptions) error {
	dir := filepath.Join(s.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	switch name {
	case KafkaName:
		d, err := FindDistribution()
		if err != nil {
			return err
		}
		broker, err := NewBroker(d, dir, options)
		if err != nil {
			return err
		}
		if err := broker.Start(ctx); err != nil {
			return err
		}
		s.kafka = broker
	case MariaDBName:
		server, err := NewMariaDB(dir)
		if err != nil {
			return err
		}
		if err := server.Start(ctx); err != nil {
			return err
		}
		s.mariadb = server
	case PostgresName:
		server, err := NewPostgres(dir)
		if err != nil {
			return err
		}
		if err := server.Start(ctx); err != nil {
			return err
		}
		s.postgres = server
	}
	return nil
}

// Environ returns the variables, as NAME=value, that tell tests where the running services are.
func (s *Set) Environ() []string {
	var env []string
	if s.kafka != nil {
		env = append(env, EnvBrokers+"="+s.kafka.Address(), EnvKafkaLib+"="+s.kafka.Distribution.Lib)
	}
	if s.mariadb != nil {
		env = append(env, EnvMariaDB+"="+s.mariadb.DSN())
	}
	if s.postgres != nil {
		env = append(env, EnvPostgres+"="+s.postgres.URL())
	}
	return env
}

// Stop ends the services and removes their folder. The data is thrown away, so they are killed rather than shut down.
func (s *Set) Stop() error {
	if s.kafka != nil {
		s.kafka.Kill()
	}
	if s.mariadb != nil {
		s.mariadb.Kill()
	}
	if s.postgres != nil {
		// Killed, the server would leave shared memory behind.
		if err := s.postgres.Stop(); err != nil {
			return errors.Join(err, os.RemoveAll(s.dir))
		}
	}
	return os.RemoveAll(s.dir)
}
