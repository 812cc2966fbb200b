/**
 * Registers the values of `metrics()` with a registry of `prom-client`. The program installs `prom-client` itself.
 * Names begin with `baileys_native_`; docs/observation.md lists them. Each scrape reads one snapshot. Call it once for
 * each registry, in one thread of the process.
 *
 * @param options.register Default: the default registry of prom-client.
 * @throws {Error} if it was called for the registry before, if `prom-client` is not installed, or if the addon cannot
 *   be loaded (`code` is `ERR_NATIVE_UNAVAILABLE`).
 */
export declare function collectMetrics(options?: { register?: { registerMetric(metric: any): void } }): void;
