/** The embedded broker as a process of its own, so that a scenario can kill it. Arguments: folder, port. Prints its port. */
import { startBroker } from '../../packages/millrace/src/broker/index.ts'

const [folder = '', port = '0'] = process.argv.slice(2)
const broker = await startBroker({ folder, port: Number(port) })
process.stdout.write(`${broker.port}\n`)
process.once('SIGTERM', () => void broker.stop())
