/** The embedded broker that chaos befalls. Arguments: folder, port, the port that clients are told. Says `ready`. */
import { startBroker } from '../../packages/millrace/src/broker/index.ts'

const [folder = '', port = '0', advertised = '0'] = process.argv.slice(2)
await startBroker({
  folder,
  port: Number(port),
  host: '127.0.0.1',
  advertised: `127.0.0.1:${advertised}`,
})
process.stdout.write('ready\n')
