/**
 * InitProducerId (key 22): a fresh id with epoch 0 for an idempotent producer, whatever id the request
 * carried (some clients send 0 and 0). An id is never given out twice, restarts included.
 *
 * - A transactional id that is empty: 42.
 * - **Not done**: transactions; asking with a transactional id is 35, which no client repeats.
 */
import { apis, errorCodes } from '../../protocol/index.ts'
import { isFailure } from '../../errors/index.ts'
import { defineHandler } from './define-handler.ts'

export const initProducerIdHandler = defineHandler(
  apis.initProducerId,
  { versions: [0, 5] },
  async (request, { broker }) => {
    const { transactionalId } = request
    if (transactionalId === '') return refused(errorCodes.INVALID_REQUEST)
    if (transactionalId !== null) return refused(errorCodes.UNSUPPORTED_VERSION)
    try {
      return { producerId: await broker.store.nextProducerId(), producerEpoch: 0 }
    } catch (error) {
      if (!isFailure(error)) throw error
      return refused(errorCodes.COORDINATOR_NOT_AVAILABLE)
    }
  },
)

function refused(errorCode: number): {
  readonly errorCode: number
  readonly producerId: number
  readonly producerEpoch: number
} {
  return { errorCode, producerId: -1, producerEpoch: -1 }
}
