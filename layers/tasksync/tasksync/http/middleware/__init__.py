"""What each request passes on its way to the handler of its route; ``Api._middlewares`` lists it in order."""
