package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"kconnect/connect/config"
	"kconnect/connect/converter"
	"kconnect/connect/converter/avro"
	"kconnect/connect/converter/jsonschema"
	"kconnect/connect/converter/protobuf"
	"kconnect/connect/herder"
	"kconnect/connect/kafkaconf"
	"kconnect/connect/logging"
	"kconnect/connect/plugin"
	"kconnect/connect/transform"
	"kconnect/connect/worker"
	"kconnect/connectors/file"
	jdbcsink "kconnect/connectors/jdbc/sink"
	jdbcsource "kconnect/connectors/jdbc/source"
	"kconnect/rest"
)

func newDistributedCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "distributed FILE",
		Short: "Run a worker of a cluster, configured by the connect-distributed.properties FILE",
		Args:  fileFirst(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			properties, err := readProperties(args[0])
			if err != nil {
				return err
			}
			levels := logging.NewLevels(time.Now)
			log := logging.New(levels, zap.CombineWriteSyncers(os.Stderr))
			return runWorker(cmd.Context(), distributed, properties, levels, log)
		},
	}
}

// fileFirst refuses a call without the worker's file, or with more than most arguments.
func fileFirst(most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("the .properties file of the worker is missing: %s", cmd.UseLine())
		case len(args) > most:
			return fmt.Errorf("%s is one argument too many: %s", args[most], cmd.UseLine())
		}
		return nil
	}
}

// readProperties reads a worker's file and resolves the ${provider:...} in it.
func readProperties(path string) (config.Map, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read from
	properties, _, err := config.ReadProperties(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	providers, err := config.NewProviders(properties)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if properties, err = providers.ResolveMap(properties); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return inherited(properties, os.Getenv)
}

// plugins is everything that configurations can name. A smaller program is a
// shorter list.
func plugins() (*plugin.Registry, error) {
	return plugin.New(slices.Concat(
		converter.Plugins(), avro.Plugins(), jsonschema.Plugins(), protobuf.Plugins(), transform.Plugins(), file.Plugins(), jdbcsource.Plugins(), jdbcsink.Plugins(),
	)...)
}

// mode is what tells the two kinds of workers apart.
type mode struct {
	def        *config.Def
	prefixes   []string // of keys that the worker hands on
	settings   func(properties config.Map, v *config.Values, url, workerID string, log *zap.Logger) (herder.Config, error)
	connectors []connectorFile // created at the start; their errors end the worker
}

var distributed = mode{def: worker.Def, prefixes: worker.Prefixes, settings: herder.Settings}

// runWorker runs a worker until ctx ends.
func runWorker(ctx context.Context, m mode, properties config.Map, levels *logging.Levels, log *zap.Logger) error {
	defer log.Sync() //nolint:errcheck // the last lines are lost with a closed stderr, and nobody can be told
	values, err := m.def.Parse(properties)
	if err != nil {
		return err
	}
	if err := refuseKerberos(properties); err != nil {
		return err
	}
	warn(m, properties, values, log)
	registry, err := plugins()
	if err != nil {
		return err
	}
	if err := checkConverters(registry, values); err != nil {
		return err
	}
	providers, err := config.NewProviders(properties)
	if err != nil {
		return err
	}
	api, err := restConfig(properties, values, log)
	if err != nil {
		return err
	}
	url, err := rest.AdvertisedURL(api)
	if err != nil {
		return err
	}
	_, workerID, _ := strings.Cut(strings.TrimSuffix(url, "/"), "://")
	settings, err := m.settings(properties, values, url, workerID, log)
	if err != nil {
		return err
	}
	settings.ClientTLS = api.ClientTLS
	settings.Worker.Metrics = newMetrics(values, cmp.Or(settings.Group.ClientID, workerID), log)
	api.Metrics = settings.Worker.Metrics.Handler()
	h := herder.New(settings, registry, providers, levels, log)
	server, err := rest.New(h, api)
	if err != nil {
		return err
	}
	if err := server.Listen(); err != nil {
		return err
	}
	with := zap.String("group", settings.Group.GroupID)
	if settings.Standalone {
		with = zap.String("offsets", settings.OffsetFile)
	}
	log.Info("kconnect "+version, zap.String("rest", url), with)
	// The API is up before the herder has read its topics, and goes down after
	// the herder has stopped, so that a last request is answered.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, gctx := errgroup.WithContext(serving)
	g.Go(func() error { return server.Run(gctx) })
	g.Go(func() error {
		defer stop()
		running, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(gctx, cancel)()
		w, wctx := errgroup.WithContext(running)
		w.Go(func() error { return h.Run(wctx) })
		w.Go(func() error { return createConnectors(wctx, h, m.connectors, log) })
		return w.Wait()
	})
	err = g.Wait()
	if err == nil {
		log.Info("Stopped")
	}
	return err
}

// warn names the settings that have no effect here, in one line for each kind.
func warn(m mode, properties config.Map, values *config.Values, log *zap.Logger) {
	strange := kafkaconf.Unknown(kafkaconf.CommonClient, properties)
	unknown := slices.DeleteFunc(m.def.Unknown(properties), func(key string) bool {
		return slices.ContainsFunc(m.prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) || !slices.Contains(strange, key)
	})
	if len(unknown) > 0 {
		log.Warn("The worker's configuration has keys that are not known and have no effect", zap.Strings("keys", unknown))
	}
	if path := values.List("plugin.path"); len(path) > 0 {
		log.Info("plugin.path is ignored: plugins are part of this program, Java plugins cannot be loaded")
	}
	for _, client := range []struct {
		prefix string
		kind   kafkaconf.Kind
	}{{"producer.", kafkaconf.ProducerClient}, {"consumer.", kafkaconf.ConsumerClient}, {"admin.", kafkaconf.CommonClient}} {
		own := properties.WithPrefix(client.prefix)
		own["bootstrap.servers"] = properties["bootstrap.servers"]
		if unknown := kafkaconf.Unknown(client.kind, own); len(unknown) > 0 {
			log.Warn("The worker's configuration has settings of its "+client.prefix+" clients that are not known and have no effect", zap.Strings("keys", unknown))
		}
		for _, sentence := range kafkaconf.Capped(client.kind, own) {
			log.Warn("The worker's configuration: " + client.prefix + sentence)
		}
	}
}

// checkConverters refuses converters of the worker that are not part of this
// program, as Java does those that it cannot load: every connector that sets
// none of its own would fail.
func checkConverters(registry *plugin.Registry, values *config.Values) error {
	for _, key := range []string{"key.converter", "value.converter", "header.converter"} {
		find := registry.Converter
		if key == "header.converter" {
			find = registry.HeaderConverter
		}
		if class := values.String(key); class != "" {
			if _, err := find(class); err != nil {
				return config.Invalid(key, class, "it is not part of this program, which has the classes that docs/plugins.md lists")
			}
		}
	}
	return nil
}

// restConfig reads the settings of the REST API.
func restConfig(properties config.Map, values *config.Values, log *zap.Logger) (rest.Config, error) {
	headers, err := rest.ParseHeaders(values.String("response.http.headers.config"))
	if err != nil {
		return rest.Config{}, err
	}
	c := rest.Config{
		Listeners:          values.List("listeners"),
		AdvertisedHost:     values.String("rest.advertised.host.name"),
		AdvertisedPort:     values.Int("rest.advertised.port"),
		AdvertisedListener: values.String("rest.advertised.listener"),
		Headers:            headers,
		AllowOrigin:        values.String("access.control.allow.origin"),
		AllowMethods:       values.String("access.control.allow.methods"),
		Version:            version,
		Commit:             commit,
		Logger:             log.Named("rest"),
	}
	if admin, set := values.OptList("admin.listeners"); set {
		c.AdminListeners = append([]string{}, admin...)
	}
	return c, secure(&c, properties, values, log)
}
