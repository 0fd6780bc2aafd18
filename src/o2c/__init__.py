"""Order to cash: from orders, invoices and bank data to letters, worklists, holds and referrals."""

__version__ = "0.1.0"
