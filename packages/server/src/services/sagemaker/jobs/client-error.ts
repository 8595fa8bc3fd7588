/** Something the user can repair; its message becomes the FailureReason. */
export class ClientError extends Error {
  constructor(message: string) {
    super(`ClientError: ${message}`);
    this.name = 'ClientError';
  }
}
