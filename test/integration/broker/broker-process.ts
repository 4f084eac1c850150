/** A broker in a process of its own, for tests that kill it: `fork(this, [folder, port])`; sends its port when it answers. */
import { startBroker } from '../../../packages/millrace/src/broker/index.ts'

const [folder = '', port = '0'] = process.argv.slice(2)
const broker = await startBroker({ folder, port: Number(port) })
process.send?.({ port: broker.port, repairs: broker.store.repairs.length })
