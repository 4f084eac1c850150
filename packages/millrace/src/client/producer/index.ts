export { refusalOf } from './message.ts'
export type { OutgoingMessage, SendResult } from './message.ts'
export type { ProducerOptions } from './options.ts'
export { openProducer, type FlushOptions, type Producer } from './producer.ts'
