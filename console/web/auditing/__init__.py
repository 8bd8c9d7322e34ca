"""The auditor's pages: any moment of a case, what people saw then, and proof that nothing of it was changed since."""
