/** A worker without consumers, which starts, has something to complain about, and stops. */
import { startWorker } from '../../../packages/millrace/src/app/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'

const worker = await startWorker({ clientId: 'log-lines' }, { signals: false })
events.error.publish({ type: 'worker', error: new TypeError('a sample') })
await worker.stop()
