import { i16, i32, i64, str } from '../schema/field.ts'
import { defineApi } from '../schema/define-api.ts'

/**
 * InitProducerId (key 22). A null `transactionalId` asks for a plain idempotent producer; left out
 * it is Kafka's default, the empty string, which is refused. v3 bumps a known epoch (KIP-360).
 */
export const initProducerId = defineApi({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexible: 2,
  request: {
    transactionalId: str.nullable().default(''),
    transactionTimeoutMs: i32,
    producerId: i64.since(3).default(-1),
    producerEpoch: i16.since(3).default(-1),
  },
  response: {
    throttleTimeMs: i32,
    errorCode: i16,
    producerId: i64.default(-1),
    producerEpoch: i16,
  },
})
