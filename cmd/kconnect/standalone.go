package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"kconnect/connect/config"
	"kconnect/connect/herder"
	"kconnect/connect/logging"
	"kconnect/connect/worker"
	"kconnect/rest"
)

func newStandaloneCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "standalone FILE [CONNECTOR...]",
		Short: "Run one worker by itself, with the connectors of the files CONNECTOR (.properties or .json)",
		Long: "standalone runs a worker that is configured by the connect-standalone.properties FILE: without a group and internal topics,\n" +
			"its source offsets in the file offset.storage.file.filename. Connectors that are made over REST are gone with the process.",
		Args: fileFirst(math.MaxInt),
		RunE: func(cmd *cobra.Command, args []string) error {
			properties, err := readProperties(args[0])
			if err != nil {
				return err
			}
			m := mode{def: worker.StandaloneDef, prefixes: worker.StandalonePrefixes, settings: herder.StandaloneSettings}
			for _, path := range args[1:] {
				c, err := readConnector(path)
				if err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				m.connectors = append(m.connectors, c)
			}
			levels := logging.NewLevels(time.Now)
			log := logging.New(levels, zap.CombineWriteSyncers(os.Stderr))
			return runWorker(cmd.Context(), m, properties, levels, log)
		},
	}
}

// connectorFile is a connector that a file names.
type connectorFile struct {
	path string
	rest.NewConnector
}

// readConnector reads a connector's file: JSON when it begins as an object, else
// .properties, whatever its name.
func readConnector(path string) (connectorFile, error) {
	c := connectorFile{path: path}
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))), []byte{'{'}) {
		c.NewConnector, err = rest.ReadConnector(text)
		return c, err
	}
	properties, order, err := config.ReadProperties(bytes.NewReader(text))
	if err != nil {
		return c, err
	}
	for _, key := range order {
		c.Config = c.Config.Set(key, properties[key])
	}
	if c.Name = properties["name"]; c.Name == "" {
		return c, errors.New("read as .properties, since it is no JSON object, it lacks the name of the connector: add a line that begins with name=")
	}
	return c, nil
}

// createConnectors creates connectors one after the other and returns the first
// error: that of a connector that cannot be started ends the worker, as in Java.
func createConnectors(ctx context.Context, h *herder.Herder, connectors []connectorFile, log *zap.Logger) error {
	for _, c := range connectors {
		_, _, err := h.PutConfig(ctx, c.Name, c.Config, false, c.InitialState)
		switch {
		case ctx.Err() != nil:
			return nil // the worker is stopped or cannot start, which says more
		case err != nil:
			return fmt.Errorf("the connector of %s cannot be created: %w", c.path, err)
		}
		log.Info("Created connector", zap.String("connector", c.Name), zap.String("file", c.path))
	}
	return nil
}
