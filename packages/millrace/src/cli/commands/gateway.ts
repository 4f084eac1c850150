import type { Gateway } from '../../gateway/index.ts'
import { defineCommand, ports } from '../command.ts'
import { packageVersion } from '../version.ts'

export const gateway = defineCommand({
  arguments: {},
  options: {
    port: {
      type: 'number',
      range: ports,
      short: 'p',
      default: 6380,
      env: 'MILLRACE_GATEWAY_PORT',
      about: 'port; 0 takes a free one',
    },
    host: {
      type: 'text',
      default: '127.0.0.1',
      env: 'MILLRACE_GATEWAY_HOST',
      about: 'address to listen on',
    },
    socket: { type: 'text', about: 'a unix socket to listen on as well' },
    bootstrapServers: { type: 'text', about: 'the cluster, as --brokers' },
    durable: {
      type: 'flag',
      about: 'RPUSHX answers after the broker has the message, unless a connection says otherwise',
    },
    strict: { type: 'flag', about: 'only the commands that Rafka has, refused in its words' },
    explainErrors: { type: 'flag', about: 'say why a consumer’s configuration was refused' },
    createTopics: { type: 'flag', about: 'let the broker create topics that are produced to' },
    insecure: { type: 'flag', about: 'let everybody in on an address that others reach' },
    tlsCert: { type: 'text', about: 'file with the certificate (PEM): the port speaks TLS' },
    tlsKey: { type: 'text', about: 'file with its key (PEM)' },
    tlsCa: {
      type: 'text',
      about: 'file with the authority that clients’ certificates must come from',
    },
    proxyProtocol: { type: 'flag', about: 'connections begin with a PROXY header' },
    reusePort: {
      type: 'flag',
      about: 'take over from a gateway on the same port, which is stopped then (Linux)',
    },
    healthPort: {
      type: 'number',
      range: ports,
      env: 'MILLRACE_GATEWAY_HEALTH_PORT',
      about: 'port for /healthz, /readyz and /metrics (default: none)',
    },
    unsentDir: {
      type: 'text',
      about: 'folder for accepted messages that could not be delivered at the end',
    },
    shutdownTimeout: { type: 'duration', default: '8s', about: 'bound of a stop' },
    version: { type: 'flag', about: 'print the version' },
  },
  examples: [
    'millrace gateway',
    'millrace gateway -p 6380 -b localhost:9092 -c rafka.json',
    'millrace gateway --durable --unsent-dir ./unsent --health-port 8081',
  ],

  async run(input, { print, env, folder, globals }) {
    if (input.version === true) {
      const version = packageVersion()
      await print.row({ version }, () => version)
      return
    }
    const { startGateway } = await import('../../gateway/index.ts')
    const { chooseBrokers, parseBrokers } = await import('../cluster.ts')
    const { readFlagFile, gatewayFile } = await import('../gateway/read-files.ts')
    const { followGateway } = await import('../gateway/follow-gateway.ts')
    const { nextSignal } = await import('../signals.ts')

    const signalled = nextSignal()
    const file = await gatewayFile(globals.config, folder)
    const named = input.bootstrapServers ?? globals.brokers
    const chosen =
      named === undefined && file !== undefined && file.brokers.length > 0
        ? parseBrokers(file.brokers.join(','), file.name)
        : await chooseBrokers({
            brokers: named,
            config: file === undefined ? globals.config : undefined,
            env,
            folder,
          })
    const { brokers } = chosen
    const tls = 'tls' in chosen ? chosen.tls : undefined
    const serverTls =
      input.tlsCert === undefined
        ? undefined
        : {
            cert: await readFlagFile('--tls-cert', input.tlsCert, folder),
            key: await readFlagFile('--tls-key', input.tlsKey ?? '', folder),
            ...(input.tlsCa === undefined
              ? {}
              : {
                  ca: await readFlagFile('--tls-ca', input.tlsCa, folder),
                  requestCert: true,
                  rejectUnauthorized: true,
                }),
          }
    const descriptors = descriptorsOf(env)
    using _lines = followGateway((line) => print.talk(line))
    for (const note of file?.notes ?? []) print.talk(note)
    const running: Gateway = await startGateway({
      ...file?.options,
      brokers,
      ...(tls === undefined ? {} : { clientOptions: { tls } }),
      host: input.host,
      port: input.port,
      ...(input.socket === undefined ? {} : { socket: input.socket }),
      ...(serverTls === undefined ? {} : { tls: serverTls }),
      ...(input.durable === true ? { durable: true } : {}),
      ...(input.strict === true ? { strict: true } : {}),
      ...(input.explainErrors === true ? { explainErrors: true } : {}),
      ...(input.createTopics === true ? { createTopics: true } : {}),
      ...(input.insecure === true ? { insecure: true } : {}),
      ...(input.proxyProtocol === true ? { proxyProtocol: true } : {}),
      ...(input.reusePort === true ? { reusePort: true } : {}),
      ...(input.healthPort === undefined ? {} : { healthPort: input.healthPort }),
      ...(input.unsentDir === undefined ? {} : { unsentDir: input.unsentDir }),
      ...(descriptors.length === 0 ? {} : { descriptors }),
      shutdownTimeout: input.shutdownTimeout,
    })
    const { url, healthAddress } = running
    await print.row(
      { url, brokers, healthAddress },
      () => `Gateway on ${url}, in front of ${brokers.join(', ')}`,
    )
    const signal = await signalled
    print.talk(`Received ${signal}, stopping`)
    const unflushed = await running.stop()
    print.talk(
      unflushed === 0
        ? 'Everything accepted is delivered'
        : `${unflushed} accepted messages were not delivered`,
    )
  },
})

/** Sockets that systemd hands over (sd_listen_fds): from descriptor 3 on. */
function descriptorsOf(env: Readonly<Record<string, string | undefined>>): readonly number[] {
  if (env['LISTEN_PID'] !== String(process.pid)) return []
  const count = Number(env['LISTEN_FDS'] ?? 0)
  return Number.isInteger(count) ? Array.from({ length: count }, (_, at) => 3 + at) : []
}
