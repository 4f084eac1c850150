/** What the order service tells the world. Everybody else knows this file of it, and nothing more. */
import { defineTopic } from 'millrace'

export interface OrderPlaced {
  readonly type: 'order-placed'
  readonly orderId: string
  readonly customer: string
  readonly cents: number
}

/** Keyed by the customer: what a customer does stays in order. */
export const orders = defineTopic<OrderPlaced>('orders', { partitions: 3 })
