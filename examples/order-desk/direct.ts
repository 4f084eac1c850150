/**
 * The desk before events, to compare: placing an order calls whoever has to know of it, one after the other.
 *
 * - The answer takes as long as all of them together, and fails when one of them does.
 * - When the mail fails, the customer is charged already. Who takes the money back, and who retries?
 * - Whoever wants to know of orders changes this file.
 */
export interface Services {
  readonly save: (orderId: string) => Promise<void>
  readonly charge: (orderId: string, cents: number) => Promise<void>
  readonly mail: (orderId: string) => Promise<void>
}

export async function placeOrder(
  orderId: string,
  cents: number,
  { save, charge, mail }: Services,
): Promise<void> {
  await save(orderId)
  await charge(orderId, cents)
  await mail(orderId)
}
